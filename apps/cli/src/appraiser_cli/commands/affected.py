"""`appraiser affected`."""

from typing import Annotated

import typer

from appraiser_cli.options import JsonOption


def affected(
    *,
    base: Annotated[str, typer.Option(metavar="REV", help="What the change is measured from.")] = "main",
    json: JsonOption = False,
    github: Annotated[
        bool, typer.Option("--github", help="Print name=JSON lines, as a job of GitHub Actions writes its outputs.")
    ] = False,
) -> None:
    """Tell which members a change affects, and which images it calls for.

    The change is all that differs from where this branch left REV, uncommitted files too.
    """
    from json import dumps

    from appraiser_cli.affected import affected as judge
    from appraiser_cli.affected import changed_files, workspace
    from appraiser_cli.tables import Column, print_json, print_table

    found = judge(changed_files(base), workspace())
    if json:
        print_json(found.as_dict())
        return
    if github:
        typer.echo("\n".join(f"{name}={dumps(value)}" for name, value in found.as_dict().items() if name != "changed"))
        return
    others = [name for name in ("joint", "manifests", "workflows") if getattr(found, name)]
    rows = [
        ("members to check", ", ".join(found.members) or "none"),
        ("images to build", ", ".join(found.images) or "none"),
        ("also", ", ".join(others) or "nothing"),
    ]
    print_table((Column("what"), Column("which", wrap=True)), rows, f"{len(found.changed)} files differ from {base}.")
