"""`appraiser doctor`."""

import typer

from appraiser_cli.options import HomeOption, JsonOption


def doctor(*, home: HomeOption = None, json: JsonOption = False) -> None:
    """Check versions, ports, folders, disk and connections. Exit code 1 when something must be mended."""
    from appraiser_cli.doctor import Level, examine
    from appraiser_cli.settings import Settings
    from appraiser_cli.tables import Column, print_json, print_table

    settings = Settings()
    findings = examine(settings.state(home), settings)
    if json:
        print_json([finding.as_dict() for finding in findings])
    else:
        rows = [(finding.level.value, finding.what, finding.text) for finding in findings]
        print_table((Column(""), Column("what"), Column("finding, and what to do", wrap=True)), rows)
    raise typer.Exit(1 if any(finding.level is Level.FAIL for finding in findings) else 0)
