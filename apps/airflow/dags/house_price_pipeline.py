"""The DAG that brings one batch from the listing API to a decision.

It only wires: each task calls the step of its name, and only the batch's number travels between tasks. The steps and
their libraries are imported inside the tasks, so that this file is read in a moment.
"""

import datetime as dt
from contextlib import closing
from typing import Any

from airflow.sdk import Label, Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

DOCUMENTATION = """
# One batch, from the listing API to a decision

`fetch_batch` -> `validate` -> `clean_and_split` -> `decide_training` -> (`train_model` -> `evaluate` ->
`decide_promotion` -> `promote` or `reject`) or `skip`

* A run takes **one** batch. Where the source has no further one, `fetch_batch` and all that follows are skipped.
* Every step may be run again: killed at any point and cleared, it gives the same tables and the same decision.
* A batch that is not fit for use fails in `validate`, with the reason in the log and in the ledger. Do not clear it:
  the next run takes the next batch.
* **Dry run**: trigger with `dry_run` to be told what would be promoted or rejected, while both aliases stay. The next
  runs that are none decide about the same batches for good, the oldest first.
* **Other thresholds for one run**: `policy`, such as `{"least_mae_gain": 0.05}`; the names stand in `policy.py`.
* **Search of parameters**: `tuning_trials` models are trained before the one that is registered; a search that was cut
  off goes on where it was.
* What was decided, and why: `./appraiser decisions`, or the page *Models*.
"""

RETRY = {"retries": 2, "retry_delay": dt.timedelta(seconds=10)}
"""Steps after the fetch touch only our own stores; what fails there is a server that comes back."""


def _settings() -> Any:
    """The configured settings under the policy that this run was given."""
    from appraiser_pipeline.changed_policy import changed
    from appraiser_pipeline.settings import Settings

    asked = get_current_context()["params"]
    settings = changed(Settings(), asked["policy"], dry_run=asked["dry_run"])
    if asked["tuning_trials"] is not None:
        settings = settings.model_copy(update={"tuning_trials": asked["tuning_trials"]})
    return settings


def _call(name: str) -> Any:
    """Run a step on the batch that this run has fetched."""
    from appraiser_pipeline.context import Context
    from appraiser_pipeline.errors import PolicyError, StoppedBatchError
    from appraiser_pipeline.run import Step, call

    step: Step = Step(name)
    batch_number = None
    if step is not Step.FETCH_BATCH:
        batch_number = get_current_context()["ti"].xcom_pull(task_ids=Step.FETCH_BATCH.value)
    try:
        with closing(Context(_settings())) as context:
            return call(step, context, batch_number)
    except (StoppedBatchError, PolicyError) as error:
        raise AirflowFailException(str(error)) from error


# No retry: a second question would move the source's cursor again. The next run repairs what was lost.
@task(retries=0)
def fetch_batch() -> int:
    """Land the next batch byte for byte. Skipped where the source has no further batch."""
    fetched = _call("fetch_batch")
    if fetched.batch_number is None:
        raise AirflowSkipException("the source has no further batch")
    return int(fetched.batch_number)


@task(**RETRY)
def validate() -> None:
    """Check every row against the raw schema; what breaks it goes to quarantine.listings."""
    _call("validate")


@task(**RETRY)
def clean_and_split() -> None:
    """Write the listings one way, without repeats, each with its split, to clean.listings."""
    _call("clean_and_split")


@task.branch(**RETRY)
def decide_training() -> str:
    """Train or skip: drift, new categories, the champion's error, growth of the data."""
    return "train_model" if _call("decide_training").outcome == "train" else "skip"


@task
def skip() -> None:
    """Nothing to do: the champion still fits. The reasons stand in the ledger."""


@task(**RETRY)
def train_model() -> None:
    """Train on the snapshot that ends with this batch, and register the model in MLflow."""
    _call("train_model")


@task(**RETRY)
def evaluate() -> None:
    """Score challenger and champion on the same test rows, which neither has seen."""
    _call("evaluate")


@task.branch(**RETRY)
def decide_promotion() -> str:
    """Apply the promotion policy and store the decision with its reasons; a dry run ends here."""
    decision = _call("decide_promotion")
    if decision.dry_run or _settings().dry_run:
        return "only_tell"
    return "promote" if decision.outcome == "promote" else "reject"


@task(**RETRY)
def promote() -> None:
    """Move the alias champion; the API picks the new model up by itself."""
    _call("promote")


@task
def only_tell() -> None:
    """A dry run: what would have been done stands in the ledger, and neither alias moves."""


@task(**RETRY)
def reject() -> None:
    """Keep the model under the alias challenger; the champion stays."""
    _call("reject")


@dag(
    dag_id="house_price_pipeline",
    schedule=None,
    start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args={"owner": "appraiser"},
    doc_md=DOCUMENTATION,
    tags=["house-price"],
    params={
        "dry_run": Param(
            default=False,
            type="boolean",
            title="Dry run",
            description="Tell what would be promoted or rejected, and move nothing.",
        ),
        "tuning_trials": Param(
            default=None,
            type=["null", "integer"],
            minimum=0,
            title="Search of parameters",
            description="Models to train in search of the best parameters; empty as configured, 0 takes the defaults.",
        ),
        "policy": Param(
            default={},
            type="object",
            title="Thresholds",
            description='In the place of the configured ones, for this run, such as {"least_mae_gain": 0.05}.',
        ),
    },
    description="One batch: fetched, validated, split, trained on, compared, promoted or rejected",
)
def house_price_pipeline() -> None:
    """Wire the steps."""
    train_or_skip, promote_or_reject = decide_training(), decide_promotion()
    fetch_batch() >> validate() >> clean_and_split() >> train_or_skip
    train_or_skip >> Label("skip") >> skip()
    train_or_skip >> Label("train") >> train_model() >> evaluate() >> promote_or_reject
    promote_or_reject >> Label("promote") >> promote()
    promote_or_reject >> Label("reject") >> reject()
    promote_or_reject >> Label("dry run") >> only_tell()


house_price_pipeline()
