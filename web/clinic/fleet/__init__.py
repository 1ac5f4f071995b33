"""IT's pages: the fleet of units, how they come in, and what is done to them."""
