"""Messages that break it, each in one field."""
