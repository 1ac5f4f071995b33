"""What the unit believes and does."""

VERSION = "0.3.0"
