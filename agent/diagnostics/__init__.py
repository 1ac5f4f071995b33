"""A bundle of what the unit knows of itself, for whoever looks for a fault; checked for personal data."""
