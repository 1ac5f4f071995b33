"""What the unit believes and does."""

VERSION = "0.4.0"
