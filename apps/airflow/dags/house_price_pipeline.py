"""The DAG that brings one batch from the listing API to a decision.

It only wires: each task calls the step of its name, and only numbers travel between tasks: the batch's and the
version's. The steps and their libraries are imported inside the tasks, so that this file is read in a moment.
"""

import datetime as dt
from typing import Any

from airflow.sdk import Label, Metadata, Param, chain, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from appraiser_pipeline.orchestration import links
from appraiser_pipeline.orchestration.alert import Alert
from appraiser_pipeline.orchestration.assets import CLEAN_LISTINGS
from appraiser_pipeline.orchestration.pools import LAKE
from appraiser_pipeline.orchestration.retries import RETRIES, FetchRetries, StepRetries
from appraiser_pipeline.orchestration.running import opened, run_step, settings_of_run

DOCUMENTATION = """
# One batch, from the listing API to a decision

`fetch_batch` -> `validate` -> `clean_and_split` -> `decide_training` -> (`train_model` -> `evaluate` ->
`decide_promotion` -> `promote` or `reject`) or `skip`

* A run takes **one** batch. Where the source has no further one, `fetch_batch` and all that follows are skipped.
* Every step may be run again: killed at any point and cleared, it gives the same tables and the same decision.
  What fails because a store is away is tried twice more, after 10 s and after a minute; what would fail the same way is
  not, and the log says why. The fetch is tried again only where the source was not asked yet.
* Where a task has failed for good, an alert is in its log and, with `APPRAISER_ALERT_WEBHOOK`, at that address.
* A batch that is not fit for use fails in `validate`, with the reason in the log and in the ledger. Do not clear it:
  the next run takes the next batch.
* **Dry run**: trigger with `dry_run` to be told what would be promoted or rejected, while both aliases stay. The next
  runs that are none decide about the same batches for good, the oldest first.
* **Other thresholds for one run**: `policy`, such as `{"least_mae_gain": 0.05}`; the names stand in `policy.py`.
* **Search of parameters**: `tuning_trials` models are trained before the one that is registered; a search that was cut
  off goes on where it was.
* **A batch once more**: `again` takes a batch that has landed through the steps again, from its bytes. Decisions that
  were made stand. For a range: `./appraiser pipeline run --again 2-5`.
* **Retraining**: `retrain_reason` trains on the next batch whatever the rules say; the reason is stored with the
  decision. `house_price_monitoring` asks for it where the houses that are asked about have changed.
* A batch that was cleaned is an event of the asset `clean.listings`.
* What was decided, and why: `./appraiser decisions`, or the page *Models*.
"""

STORES = {"retries": RETRIES, "retry_policy": StepRetries(), "pool": LAKE}
"""Of the steps after the fetch: they touch only our own stores, and go on where they were."""


def _call(name: str) -> Any:
    """Run a step on the batch that this run is about."""
    context = get_current_context()
    batch_number = context["ti"].xcom_pull(task_ids="fetch_batch")
    again = {"again": True} if name == "validate" and context["params"]["again"] is not None else {}
    return run_step(name, batch_number, **again)


def _settings() -> Any:
    """The settings of this run."""
    return settings_of_run()


@task(retries=RETRIES, retry_policy=FetchRetries(), pool=LAKE)
def fetch_batch() -> int:
    """Land the next batch byte for byte. Skipped where the source has no further batch."""
    again = get_current_context()["params"]["again"]
    if again is not None:
        return int(again)
    fetched = run_step("fetch_batch")
    if fetched.batch_number is None:
        asked = _settings().retrain_reason
        wait = f"; retraining, asked for because {asked}, waits for one" if asked else ""
        raise AirflowSkipException(f"the source has no further batch{wait}")
    return int(fetched.batch_number)


@task(**STORES)
def validate() -> None:
    """Check every row against the raw schema; what breaks it goes to quarantine.listings."""
    _call("validate")


@task(**STORES, outlets=[CLEAN_LISTINGS])
def clean_and_split() -> Any:
    """Write the listings one way, without repeats, each with its split, to clean.listings; an event tells it."""
    batch = _call("clean_and_split")
    rows = {split: getattr(batch, f"rows_{split}") for split in ("train", "validation", "test")}
    # As text: JSON's numbers end at 2^53 for some of those who read them.
    snapshot_id = str(batch.clean_snapshot_id)
    yield Metadata(CLEAN_LISTINGS, {"batch_number": batch.batch_number, "snapshot_id": snapshot_id, **rows})


@task.branch(**STORES)
def decide_training() -> str:
    """Train or skip: drift, new categories, the champion's error, growth of the data."""
    from appraiser_pipeline.standing import is_decided

    context = get_current_context()
    if context["params"]["again"] is not None:
        with opened() as stores:
            if is_decided(stores, context["ti"].xcom_pull(task_ids="fetch_batch")):
                return "skip"
    return "train_model" if _call("decide_training").outcome == "train" else "skip"


@task
def skip() -> None:
    """Nothing to do: the champion still fits, or a batch was taken again whose decisions stand."""


@task(**STORES)
def train_model() -> None:
    """Train on the snapshot that ends with this batch, and register the model in MLflow."""
    version = _call("train_model")
    with opened() as stores:
        model = {"version": version, "run_id": stores.registry.version(version).run_id}
    get_current_context()["ti"].xcom_push(links.MODEL, model)


@task(**STORES)
def evaluate() -> None:
    """Score challenger and champion on the same test rows, which neither has seen."""
    _call("evaluate")


@task.branch(**STORES)
def decide_promotion() -> str:
    """Apply the promotion policy and store the decision with its reasons; a dry run ends here."""
    decision = _call("decide_promotion")
    if decision.dry_run or _settings().dry_run:
        return "only_tell"
    return "promote" if decision.outcome == "promote" else "reject"


@task(**STORES)
def promote() -> None:
    """Move the alias champion; the API picks the new model up by itself."""
    _call("promote")


@task
def only_tell() -> None:
    """A dry run: what would have been done stands in the ledger, and neither alias moves."""


@task(**STORES)
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
    default_args={"owner": "appraiser", "on_failure_callback": Alert()},
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
        "again": Param(
            default=None,
            type=["null", "integer"],
            minimum=0,
            title="A batch once more",
            description="Number of a batch that has landed, to be taken from its bytes again; empty takes the next.",
        ),
        "retrain_reason": Param(
            default="",
            type="string",
            maxLength=500,
            title="Retraining",
            description="Why a model is to be trained on this batch whatever the rules say; empty leaves it to them.",
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
    before = (fetch_batch(), validate(), clean_and_split(), decide_training())
    after = (train_model(), evaluate(), decide_promotion())
    promoted, rejected = promote(), reject()
    for done in before:
        done.operator.operator_extra_links = (links.BatchLink(),)
    for done in (*after, promoted, rejected):
        done.operator.operator_extra_links = (links.RunLink(), links.ModelLink(), links.BatchLink())
    chain(*before)
    before[-1] >> Label("skip") >> skip()
    before[-1] >> Label("train") >> after[0]
    chain(*after)
    after[-1] >> Label("promote") >> promoted
    after[-1] >> Label("reject") >> rejected
    after[-1] >> Label("dry run") >> only_tell()


house_price_pipeline()
