"""What the unit believes and does."""

VERSION = "0.2.0"
