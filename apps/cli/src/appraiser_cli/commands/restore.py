"""`appraiser restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from appraiser_cli.options import HomeOption
from appraiser_cli.services.profile import Profile

if TYPE_CHECKING:
    from appraiser_cli.backup.manifest import Manifest


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, as `backup` has written it.")],
    *,
    home: HomeOption = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Move the state that is there to archive/ in its folder; delete nothing.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only see whether it is whole and fits.")] = False,
    profile: Annotated[
        Profile | None, typer.Option("--profile", help="Refuse a backup of the other profile.", show_default=False)
    ] = None,
) -> None:
    """Put a backup back into a state folder that holds no state, here or on another machine.

    Every file is compared with its digest before anything is written, and all of it is moved in at the end.
    """
    from appraiser_cli.backup import restoring
    from appraiser_cli.running.interrupt import Interrupted, interruptible
    from appraiser_cli.settings import Settings

    settings, archive = Settings(), file.expanduser().absolute()
    state = settings.state(home)
    if check:
        found = restoring.check(state, archive, profile)
        typer.echo(f"{archive} is whole: {_in_words(found)}.")
        return
    try:
        with interruptible():
            found = restoring.restore(
                state,
                settings,
                archive,
                lambda text: typer.echo(f"restore: {text}", err=True),
                fresh=fresh,
                wanted=profile,
            )
    except Interrupted:
        typer.echo("restore: interrupted; nothing was restored", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"{state.folder} holds {_in_words(found)}.")
    typer.echo(f"Start it with: ./appraiser up --home {state.folder}")


def _in_words(found: "Manifest") -> str:
    return (
        f"the state of {found.places[0]} of {found.made_at:%Y-%m-%d %H:%M:%S} UTC, profile {found.profile.value}, "
        f"{len(found.members):,} files with {found.size_bytes / 1e6:,.1f} MB"
    )
