"""``python -m tests.soak``."""

import sys

from tests.soak.faults import main

if __name__ == "__main__":
    sys.exit(main())
