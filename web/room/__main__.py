"""`python -m web.room [LANGUAGE…]`: the texts that a language still lacks, in Swedish."""

import sys

from web.room.catalogue import report

if __name__ == "__main__":
    print(report(sys.argv[1:]))
