"""What the unit believes and does."""

VERSION = "0.5.0"
