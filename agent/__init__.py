"""What the unit believes and does."""
