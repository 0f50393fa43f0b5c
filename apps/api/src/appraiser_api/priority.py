"""The place of what works in the background, on a machine that is busy."""

import os
import sys
import threading
from pathlib import Path
from typing import Final

NICENESS: Final = 15
"""Of -20 to 19: a thirtieth of the weight of the thread of single houses. Beside two busy threads Linux 6.18 woke a
third within .4 ms from 13 on, in 99 of 100 cases; at 10 it took 3.5, a tick of the clock.

Not `SCHED_IDLE`: beside other busy processes tables came to a halt, and houses waited 1.4 s (`bench/README.md`).
"""


def stand_back(*threads: int) -> None:
    """Let threads, and those that they start, wait where a processor is short.

    Args:
        threads: Their ids with the system; this thread's own where none is given.
    """
    # On Linux each thread has a priority of its own, and gives it to the threads that it starts.
    if sys.platform == "linux":
        for thread in threads or (threading.get_native_id(),):
            os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))


def own_threads() -> tuple[int, ...]:
    """Ids of all threads of this process, those of libraries among them, where the system tells them."""
    return tuple(int(thread.name) for thread in Path("/proc/self/task").glob("*"))
