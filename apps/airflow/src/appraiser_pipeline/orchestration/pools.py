"""The pools of our tasks. They exist before any task is scheduled: a task in a pool that is none waits for ever."""

from typing import Any, Final

LAKE: Final = "appraiser_lake"
SLOTS: Final = {
    LAKE: (
        1,
        (
            "Steps over one lake take turns: a second one would hold a worker's slot only to wait for the lock of the "
            "first, and training takes all cores. More slots make nothing faster."
        ),
    )
}
"""Slots of each pool, and why so many."""


def make_pools() -> None:
    """Make the pools that Airflow's database lacks; what a person has changed stays."""
    from airflow.models.pool import Pool  # noqa: PLC0415 - only processes that own the database may import it
    from airflow.utils.session import create_session  # noqa: PLC0415 - as above

    with create_session() as session:
        for name, (slots, why) in SLOTS.items():
            if Pool.get_pool(name, session=session) is None:
                Pool.create_or_update_pool(name, slots, why, include_deferred=False, session=session)


def is_job(component: Any) -> bool:
    """Whether a part of Airflow that starts is one that has its database: scheduler, DAG processor or triggerer."""
    return type(component).__module__ == "airflow.jobs.job"
