"""The pages of clinicians, staff and IT at the region."""
