"""The command's entry: its subcommands, and how errors reach a person."""

import os
import sys
from typing import NoReturn

import typer

from appraiser_cli.commands.affected import affected
from appraiser_cli.commands.backup import backup
from appraiser_cli.commands.batches import batches
from appraiser_cli.commands.bench import bench
from appraiser_cli.commands.check import check
from appraiser_cli.commands.check_data import check_data
from appraiser_cli.commands.compose import compose
from appraiser_cli.commands.decisions import decisions
from appraiser_cli.commands.dev import dev
from appraiser_cli.commands.doctor import doctor
from appraiser_cli.commands.down import down
from appraiser_cli.commands.images import images
from appraiser_cli.commands.keys import keys
from appraiser_cli.commands.lineage import lineage
from appraiser_cli.commands.locks import locks
from appraiser_cli.commands.maintenance import maintenance
from appraiser_cli.commands.models import models
from appraiser_cli.commands.notes import notes
from appraiser_cli.commands.pipeline import pipeline
from appraiser_cli.commands.predict import predict
from appraiser_cli.commands.restore import restore
from appraiser_cli.commands.secrets import secrets
from appraiser_cli.commands.status import status
from appraiser_cli.commands.test import check_all
from appraiser_cli.commands.up import up
from appraiser_cli.errors import CliError

app = typer.Typer(
    name="appraiser",
    help="Values houses, and keeps its own model honest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_RUN = "Run the system"
_LOOK = "See what it did"
_USE = "Use it on your own listings"
_WORK = "Work on the code"

app.command(rich_help_panel=_RUN)(up)
app.command(rich_help_panel=_RUN)(down)
app.command(rich_help_panel=_RUN)(status)
app.command(rich_help_panel=_RUN)(doctor)
app.add_typer(pipeline, name="pipeline", rich_help_panel=_RUN)
app.add_typer(maintenance, name="maintenance", rich_help_panel=_RUN)
app.command(rich_help_panel=_RUN)(backup)
app.command(rich_help_panel=_RUN)(restore)
app.add_typer(keys, name="keys", rich_help_panel=_RUN)
app.add_typer(compose, name="compose", rich_help_panel=_RUN)
app.command(rich_help_panel=_LOOK)(batches)
app.command(rich_help_panel=_LOOK)(decisions)
app.add_typer(models, name="models", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(lineage)
app.command("check-data", rich_help_panel=_USE)(check_data)
app.command(rich_help_panel=_USE)(predict)
app.command(rich_help_panel=_WORK)(dev)
app.command("test", rich_help_panel=_WORK, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    check_all
)
app.command(rich_help_panel=_WORK)(affected)
app.command(rich_help_panel=_WORK)(locks)
app.add_typer(images, name="images", rich_help_panel=_WORK)
app.command(rich_help_panel=_WORK)(notes)
app.add_typer(check, name="check", rich_help_panel=_WORK)
app.add_typer(secrets, name="secrets", rich_help_panel=_WORK)
app.add_typer(bench, name="bench", rich_help_panel=_WORK)


def main() -> NoReturn:
    """Run the command. Errors become one sentence and exit code 1, wrong usage becomes exit code 2."""
    try:
        app()
    except CliError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted.", 130)
    except BrokenPipeError:
        # Whoever read the output has gone, such as `head`. Python would complain once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("APPRAISER_DEBUG"):
            raise
        _fail(_sentence(error), 1)
    sys.exit(0)


def _sentence(error: Exception) -> str:
    # The errors of our own libraries say what to do next.
    if type(error).__module__.startswith("appraiser_"):
        return str(error)
    return (
        f"something unexpected went wrong ({type(error).__name__}: {error}). "
        "Set APPRAISER_DEBUG=1 and run the command again to see where."
    )


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"appraiser: {message}\n")
    sys.exit(code)
