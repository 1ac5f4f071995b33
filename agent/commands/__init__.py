"""Commands from the region: each is done once or never, whatever is killed meanwhile."""
