"""What the unit believes and does."""

VERSION = "0.6.0"
