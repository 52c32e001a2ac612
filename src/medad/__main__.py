"""``python -m medad`` is ``medad``."""

import sys

from medad.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
