"""Checks of the contract for whoever builds a side of their own: a unit played to a region, a region to a unit."""
