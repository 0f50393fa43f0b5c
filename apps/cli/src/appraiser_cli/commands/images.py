"""`appraiser images`."""

from pathlib import Path
from typing import Annotated

import typer

from appraiser_cli.options import JsonOption

images = typer.Typer(help="Build the images of the apps, and look at them.", no_args_is_help=True)

_ImagesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[IMAGE]...", help="Which ones; all where none is named.")
]


@images.command()
def build(
    which: _ImagesArgument = None,
    *,
    builder: Annotated[
        str | None, typer.Option("--builder", metavar="PROGRAM", help="docker or buildah.", show_default=False)
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            "--base", envvar="APPRAISER_PYTHON_IMAGE", show_envvar=True, help="Image of Python, best with its digest."
        ),
    ] = "",
    source: Annotated[str, typer.Option("--source", metavar="URL", help="Address of the repository.")] = "",
    both: Annotated[bool, typer.Option("--both", help="For amd64 and arm64, with Docker.")] = False,
    option: Annotated[
        list[str] | None, typer.Option("--option", help="Of Docker's builder, such as --push; may come several times.")
    ] = None,
) -> None:
    """Build images from their Dockerfiles, with Docker where it answers, else with buildah."""
    from appraiser_cli import images as built

    program = built.builder(builder)
    for image in built.parse_images(which or []):
        recipe = built.Recipe(
            image=image,
            builder=program,
            tag=built.name(image),
            base=base,
            revision=built.revision(),
            source=source,
            platforms=built.PLATFORMS if both else (),
            options=tuple(option or ()),
        )
        built.build(recipe)


@images.command()
def show(which: _ImagesArgument = None, *, json: JsonOption = False) -> None:
    """Show size, layers and user of images that buildah has built."""
    from dataclasses import asdict

    from appraiser_cli import images as built
    from appraiser_cli.tables import Column, print_json, print_table

    found = [built.measure(built.name(image)) for image in built.parse_images(which or [])]
    if json:
        print_json([asdict(one) for one in found])
        return
    rows = [(one.tag, _mb(one.unpacked), _mb(one.packed), str(one.layers), one.user) for one in found]
    columns = (Column("image"), Column("unpacked"), Column("download"), Column("layers"), Column("user"))
    print_table(columns, rows)


@images.command()
def names(which: _ImagesArgument = None) -> None:
    """Print the full names of images, one a line."""
    from appraiser_cli import images as built

    for image in built.parse_images(which or []):
        typer.echo(built.name(image))


@images.command()
def base() -> None:
    """Print the image of Python that ours start from, by the digest that its registry shows now."""
    from appraiser_cli.digests import inspect
    from appraiser_cli.images import python_image

    typer.echo(f"{python_image()}@{inspect(python_image()).digest}")


@images.command()
def scan(reference: Annotated[str, typer.Argument(metavar="IMAGE", help="Full name with tag or digest.")]) -> None:
    """Look for known faults in an image. Exit code 1 where a critical one has a fix."""
    import subprocess

    from appraiser_cli.images import scan_command

    raise typer.Exit(subprocess.run(scan_command(reference), check=False).returncode)


@images.command()
def check() -> None:
    """Build every image for real, start them together below read-only roots, and ask for an appraisal.

    Needs root, buildah and debootstrap; 20 minutes the first time, most of it for installing packages.
    """
    import subprocess

    from appraiser_cli.home import ROOT

    line = [str(ROOT / ".venv" / "bin" / "pytest"), "-m", "images", "tests/images", "--timeout=2400", "-s"]
    raise typer.Exit(subprocess.run(line, cwd=ROOT, check=False).returncode)


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"


_OverlayArgument = Annotated[str, typer.Argument(metavar="OVERLAY", help="dev or prod.")]


@images.command()
def pin(
    overlay: _OverlayArgument,
    digests: Annotated[list[str], typer.Argument(metavar="IMAGE=DIGEST...", help="Such as api=sha256:….")],
    *,
    built_from: Annotated[
        str | None,
        typer.Option("--built-from", metavar="REV", help="Leave out images whose files were changed since."),
    ] = None,
) -> None:
    """Write digests of our images below gitops/, each after the registry has shown it for both architectures."""
    from appraiser_cli.digests import current, parse_digests
    from appraiser_cli.digests import pin as write

    wanted = parse_digests(digests)
    _told(write(overlay, current(wanted, built_from) if built_from else wanted))


@images.command("look-up")
def look_up(overlay: _OverlayArgument) -> None:
    """Write the digests of everybody else's images below gitops/ that nobody has looked up yet."""
    from appraiser_cli.digests import look_up as write

    _told(write(overlay))


@images.command()
def promote(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Overlay, such as dev.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Overlay, such as prod.")],
) -> None:
    """Let one overlay run what another one runs, digest by digest."""
    from appraiser_cli.digests import promote as write

    _told(write(source, target))


@images.command()
def tag(
    overlay: _OverlayArgument,
    text: Annotated[str, typer.Argument(metavar="TAG", help="Such as v1.2.0; the v is left out.")],
) -> None:
    """Give our images of an overlay another tag in their registry."""
    from appraiser_cli.digests import tag as give

    typer.echo("\n".join(give(overlay, text)))


@images.command()
def verify(overlay: _OverlayArgument) -> None:
    """Ask the registries for every image of an overlay. Exit code 1 where one is unknown or gone."""
    from appraiser_cli.digests import pinned
    from appraiser_cli.digests import verify as problems_of

    problems = problems_of(overlay)
    for problem in problems:
        typer.echo(problem, err=True)
    typer.echo(f"{len(pinned(overlay))} images of {overlay}, {len(problems)} problems")
    raise typer.Exit(1 if problems else 0)


def _told(changed: list[Path]) -> None:
    typer.echo("\n".join(f"wrote {file}" for file in changed) or "nothing to change")
