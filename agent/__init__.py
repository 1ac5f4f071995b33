"""What the unit believes and does."""

VERSION = "0.1.0"
