"""`make image`: a disk image of a unit from Debian's packages and this tree."""
