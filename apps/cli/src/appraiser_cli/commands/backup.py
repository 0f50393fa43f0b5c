"""`appraiser backup`."""

from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.options import HomeOption


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write, such as backup.zip; there is none yet.")],
    *,
    home: HomeOption = None,
) -> None:
    """Write all that a state folder keeps into one file, while the system runs.

    Ledger, listings, models, Airflow's runs, appraisals that are on their way to the ledger, and every password and
    key: keep the file where only you can read it. The pipeline waits meanwhile; appraisals go on.
    """
    from appraiser_cli.backup.taking import take
    from appraiser_cli.running.interrupt import Interrupted, interruptible
    from appraiser_cli.settings import Settings

    settings, target = Settings(), file.expanduser().absolute()
    try:
        with interruptible():
            made = take(settings.state(home), settings, target, lambda text: typer.echo(f"backup: {text}", err=True))
    except Interrupted:
        typer.echo("backup: interrupted; nothing was written", err=True)
        raise typer.Exit(130) from None
    size = target.stat().st_size
    typer.echo(
        f"{target}: {len(made.members):,} files, {size / 1e6:,.1f} MB, profile {made.profile.value}. It holds "
        "passwords and keys, and only you can read it."
    )
    typer.echo(f"Restore it with: ./appraiser restore {file} --home NEW")
