"""A/B updates by RAUC: what the bundle is made of, what root does with it, and which slot is booted."""
