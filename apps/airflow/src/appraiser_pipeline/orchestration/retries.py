"""Which failure is worth another try, and why: the reason stands in the task's log and in its retry."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import Context

RETRIES: Final = 2
_DELAYS: Final = (timedelta(seconds=10), timedelta(minutes=1))
"""A database or a server that was started again answers within seconds, one that moved to another machine within a
minute."""

_FINAL: Final = {
    "appraiser_pipeline.errors.StoppedBatchError": "the same rows give the same verdict; the next run takes the next "
    "batch",
    "appraiser_pipeline.errors.PolicyError": "the threshold that was asked for stays wrong; trigger the run again with "
    "another one",
    "appraiser_pipeline.errors.OrderError": "the step before has left nothing to work on; clear that one",
    "appraiser_pipeline.errors.OtherSourceError": "the address of the source, or the ledger, is to be set right first",
    "appraiser_pipeline.errors.OtherLakeError": "the lake or the ledger is to be set right first",
    "appraiser_pipeline.errors.ReplayError": "the source does not bring what it brought before, and would not again",
    "appraiser_model.errors.TrainingError": "the same listings train no model the next time either",
    "appraiser_model.errors.BundleError": "the files of the version stay as they are; clear train_model",
    "appraiser_store.errors.LakeSchemaError": "the lake is of another version of the code",
    "appraiser_store.errors.LedgerSchemaError": "the ledger is of another version of the code",
    "pydantic_core._pydantic_core.ValidationError": "a setting is wrong, and stays wrong until somebody changes it",
}
"""Failures that come again however often they are tried, with what ends them."""

_NOT_ASKED: Final = "appraiser_pipeline.errors.SourceAwayError"


class StepRetries(RetryPolicy):
    """Of steps that touch our own stores: whatever fails is tried again, unless it would fail the same way."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: "Context | None" = None
    ) -> RetryDecision:
        """Decide by what was raised."""
        del max_tries, context
        for name in _names(exception):
            if name in _FINAL:
                return RetryDecision.fail(f"not tried again: {_FINAL[name]}")
        reason = f"{type(exception).__name__}: a store that is away comes back, and the step goes on where it was"
        return RetryDecision.retry(_DELAYS[min(try_number, len(_DELAYS)) - 1], reason)

    def serialize(self) -> dict[str, Any]:
        """Its name: it has no state."""
        return {"__type": f"{type(self).__module__}.{type(self).__qualname__}"}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> "StepRetries":
        """It has no state."""
        del data
        return cls()


class FetchRetries(StepRetries):
    """Of the fetch: a question moves the source's cursor, so only what failed before it is tried again."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: "Context | None" = None
    ) -> RetryDecision:
        """Decide by whether the source was asked."""
        names = set(_names(exception))
        if _NOT_ASKED in names:
            return RetryDecision.retry(_DELAYS[min(try_number, len(_DELAYS)) - 1], "the source was not asked yet")
        if names & set(_FINAL):
            return super().evaluate(exception, try_number, max_tries, context)
        reason = "not tried again: a second question would move the source's cursor; the next run repairs what was lost"
        return RetryDecision.fail(reason)


def _names(exception: BaseException) -> Iterator[str]:
    """Full names of its class and of those that it is one of, told by name so that no library is imported."""
    for kind in type(exception).__mro__:
        yield f"{kind.__module__}.{kind.__qualname__}"
