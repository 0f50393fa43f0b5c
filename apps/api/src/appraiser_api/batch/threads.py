"""The place of what works in the background, on a machine that is busy."""

import os
import sys
import threading
from typing import Final

NICENESS: Final = 15
"""Of -20 to 19: a thirtieth of the weight of the thread of single houses. Beside two busy threads Linux 6.18 woke a
third within .4 ms from 13 on, in 99 of 100 cases; at 10 it took 3.5, a tick of the clock.

Not `SCHED_IDLE`: beside other busy processes tables came to a halt, and houses waited 1.4 s (`bench/README.md`).
"""


def stand_back() -> None:
    """Let this thread, and those that it starts, wait where a processor is short."""
    # On Linux each thread has a priority of its own, and gives it to the threads that it starts.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
