"""`appraiser test`."""

from typing import Annotated

import typer


def check_all(
    context: typer.Context,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out end-to-end and browser tests.")] = False,
    only_tests: Annotated[bool, typer.Option("--only-tests", help="Leave out what `check code` does.")] = False,
) -> None:
    """Check everything: style, types, import contracts, exports and all tests. Other arguments go to pytest.

    One failure stops nothing: all are reported, and the exit code is 1.
    """
    from appraiser_cli.checks import run_checks

    raise typer.Exit(run_checks(quick=quick, code=not only_tests, pytest_arguments=context.args))
