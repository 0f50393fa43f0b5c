"""`appraiser locks`."""

import sys
from datetime import datetime
from typing import Annotated

import typer


def locks(
    *,
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the exports are stale.")] = False,
    until: Annotated[
        datetime | None,
        typer.Option("--until", metavar="DATE", formats=["%Y-%m-%d"], help="Resolve anew, as of this day."),
    ] = None,
) -> None:
    """Write locks/APP.txt: the exact versions and hashes that each image installs."""
    from appraiser_cli.locks import check_locks, resolve_until, write_locks

    if until:
        resolve_until(until.date())

    if check:
        stale = check_locks()
        if stale:
            sys.stderr.write(f"appraiser: stale: {', '.join(stale)}; write them anew with './appraiser locks'\n")
            raise typer.Exit(1)
        sys.stdout.write("the exports in locks/ are current\n")
        return
    sys.stdout.write("".join(f"wrote {path}\n" for path in write_locks()))
