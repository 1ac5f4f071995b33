"""`python -m web.room`: which texts of the touchscreen each language still lacks, with the Swedish ones."""

from web.room.catalogue import report

if __name__ == "__main__":
    print(report())
