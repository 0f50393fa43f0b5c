"""Python itself, set up for short answers beside threads that work in the background."""

import gc
import sys
from typing import Final

SWITCH_SECONDS: Final = 0.0003
"""How long a thread keeps the interpreter while another waits for it; Python's own 5 ms are thirty appraisals.

Measured while tables were worked on in the same process: 2.9 % of single houses took more than 3 ms beside them, with
1 ms 3.3 and 3.6 %. Explanations, the registry and the ledger still have threads beside the houses.
"""

YOUNG_OBJECTS: Final = 20_000
"""New objects after which garbage is looked for; Python's own 700 are a few requests."""


def answer_quickly() -> None:
    """Let threads give way sooner, and look for garbage more seldom: a request leaves none that counting misses."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
