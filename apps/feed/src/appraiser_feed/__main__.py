"""Run with `python -m appraiser_feed`."""

import sys

from appraiser_feed.main import main

if __name__ == "__main__":
    sys.exit(main())
