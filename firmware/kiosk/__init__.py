"""The touchscreen's browser: a compositor, Chromium that knows one page, and a guard that has it back."""
