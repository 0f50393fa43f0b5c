"""`appraiser down`."""

import sys

from appraiser_cli.options import HomeOption


def down(*, home: HomeOption = None) -> None:
    """End the system: everything that `up` started, and nothing else."""
    from appraiser_cli.down import end_system
    from appraiser_cli.settings import Settings

    ended = end_system(Settings().state(home))
    text = f"ended {', '.join(ended)}" if ended else "nothing was running"
    sys.stdout.write(f"{text}\n")
