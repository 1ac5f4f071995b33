"""The schemas, one file for each step from one to the next."""
