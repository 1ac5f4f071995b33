"""The pages: the touchscreen in the room and the browsers at the region."""
