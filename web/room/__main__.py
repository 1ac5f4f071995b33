"""`python -m web.room [LANGUAGE…]`: the texts that a language of the touchscreen lacks, with the Swedish ones."""

import sys

from web.room.catalogue import report

if __name__ == "__main__":
    print(report(sys.argv[1:]))
