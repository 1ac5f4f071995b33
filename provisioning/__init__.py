"""The region's side of the wire."""
