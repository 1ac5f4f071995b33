"""`python -m web.room [LANGUAGE…]`: which texts of the touchscreen a language still lacks, with the Swedish ones."""

import sys

from web.room.catalogue import report

if __name__ == "__main__":
    print(report(sys.argv[1:]))
