"""`appraiser lineage`."""

from typing import Annotated

import typer

from appraiser_cli.options import HomeOption, JsonOption


def lineage(
    request_id: Annotated[str, typer.Argument(help="`request_id` of the answer.", show_default=False)],
    *,
    row: Annotated[int, typer.Option(min=0, help="Row of the table that was sent, from 1; 0 is a single house.")] = 0,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Lead from an appraisal back to the model, the snapshot, the batches and the commit that it comes from."""
    from appraiser_cli.lineage import lineage_of, model_facts, prediction_facts, print_batches, print_moves
    from appraiser_cli.settings import Settings
    from appraiser_cli.tables import Column, print_json, print_table

    settings = Settings()
    found = lineage_of(settings.state(home), settings, request_id, row)
    if json:
        print_json(found)
        return
    facts = [*prediction_facts(found), *model_facts(found.origin)]
    print_table((Column("fact"), Column("value", wrap=True)), facts)
    print_batches(found.origin)
    print_moves(found.origin)
