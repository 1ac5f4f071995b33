"""The board: profiles, panel, audio and image."""
