"""The client of the API: typed answers, and errors that say what to do."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
from pydantic import ValidationError

from appraiser_schema import (
    Appraisal,
    Batch,
    BatchDetail,
    Comparables,
    Decision,
    Explanation,
    LiveError,
    Market,
    ModelDetail,
    ModelStudy,
    ModelVersion,
    Problem,
    Ready,
    Reign,
    RollbackOrder,
    RolledBack,
    ServiceState,
    StateMarket,
)
from appraiser_ui.endpoints import (
    ARROW,
    BATCH,
    BATCHES,
    COMPARABLES,
    DECISIONS,
    EXPLAIN,
    HISTORY,
    JSON,
    LIVE_ERRORS,
    MODEL_CARD,
    MODEL_REPORT,
    MODEL_VERSION,
    MODELS,
    PLACES,
    PREDICT,
    PREDICT_BATCH,
    READY,
    ROLLBACK,
    SERVICE,
    STATE_PLACES,
    Endpoint,
)
from appraiser_ui.errors import ApiAwayError, NoModelError, RefusedError, UnreadableError

TIMEOUT: Final = httpx.Timeout(20.0, connect=2.0)
"""Seconds. An appraisal takes milliseconds; the first look into the registry after a start takes up to ten seconds."""

PATIENT: Final = httpx.Timeout(120.0, connect=2.0)
"""For what takes as long as there is to do: a table, or a version that is fetched and tried."""

NO_CHAMPION: Final = "urn:appraiser:problem:no-champion"
"""Type of the API's problem document while no model is in service."""


class ApiClient:
    """Asks the API. Safe to share between threads.

    Args:
        url: Address of the API, without a path.
        key: API key; None where the API asks for none.
    """

    def __init__(self, url: str, key: str | None = None) -> None:
        self._url = url.rstrip("/")
        # Variables such as HTTP_PROXY are meant for the outside world, not for a neighbour.
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=self._url, headers=headers, timeout=TIMEOUT, trust_env=False)

    def ready(self) -> Ready:
        """Whether the API can appraise, and with which model."""
        return self._ask(READY)

    def explain(self, listing: Mapping[str, Any]) -> Explanation:
        """Appraise a house and say why.

        Args:
            listing: JSON values by field of `Listing`; the API checks them.

        Raises:
            RefusedError: A field is wrong; the problem names it.
            NoModelError: No model is in service yet.
        """
        return self._ask(EXPLAIN, body=listing)

    def predict(self, listing: Mapping[str, Any]) -> Appraisal:
        """Appraise a house without saying why, which is quicker. Raises as `explain` does."""
        return self._ask(PREDICT, body=listing)

    def comparables(self, listing: Mapping[str, Any]) -> Comparables:
        """The listings most like a house among those that the model has learned from."""
        return self._ask(COMPARABLES, body=listing)

    def market(self) -> Market:
        """What the model has learned from, all in all."""
        return self._ask(PLACES)

    def state_market(self, state: str) -> StateMarket:
        """What the model has learned from in one state."""
        return self._ask(STATE_PLACES, path={"state": state})

    def models(self) -> tuple[ModelVersion, ...]:
        """Every version of the model."""
        return self._ask(MODELS)

    def model_version(self, version: int) -> ModelDetail:
        """One version with its card."""
        return self._ask(MODEL_VERSION, path={"version": version})

    def model_card(self, version: int) -> str:
        """The card of one version in words, as Markdown."""
        return self._ask(MODEL_CARD, path={"version": version})

    def batches(self) -> tuple[Batch, ...]:
        """Every batch that has arrived."""
        return self._ask(BATCHES)

    def batch(self, batch_number: int) -> BatchDetail:
        """One batch: what was refused, how it differs, and what was decided after it."""
        return self._ask(BATCH, path={"batch_number": batch_number})

    def model_report(self, version: int) -> ModelStudy:
        """How one version did and works."""
        return self._ask(MODEL_REPORT, path={"version": version})

    def history(self) -> tuple[Reign, ...]:
        """Which version was in production from when to when, who put it there, and why."""
        return self._ask(HISTORY)

    def live_errors(self) -> tuple[LiveError, ...]:
        """How the appraisals of each version compare with the sales that were reported."""
        return self._ask(LIVE_ERRORS)

    def service(self) -> ServiceState:
        """How the service stands."""
        return self._ask(SERVICE)

    def rollback(self, order: RollbackOrder, key: str) -> RolledBack:
        """Take the champion back.

        Args:
            order: Which version, and why.
            key: Key of an operator; the page's own is not for this.

        Raises:
            RefusedError: The key may not, or the version does not pass its trial.
        """
        # What cannot stand in a header is no key of ours.
        sent = key.encode("ascii", "replace").decode()
        headers = {"Authorization": f"Bearer {sent}"} if sent else {}
        return self._ask(ROLLBACK, body=order.model_dump(mode="json"), headers=headers, patience=PATIENT)

    def predict_batch(self, rows: bytes) -> bytes:
        """Appraise a table.

        Args:
            rows: Stream of Arrow record batches with the columns of a listing.

        Returns:
            Stream of Arrow record batches with a row per row.
        """
        headers = {"Content-Type": ARROW, "Accept": ARROW}
        return self._ask(PREDICT_BATCH, content=rows, headers=headers, patience=PATIENT)

    def decisions(self) -> tuple[Decision, ...]:
        """Every decision to train, to promote, or not to."""
        return self._ask(DECISIONS)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ask[Answer](
        self,
        endpoint: Endpoint[Answer],
        *,
        path: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience: httpx.Timeout = TIMEOUT,
    ) -> Answer:
        try:
            response = self._http.request(
                endpoint.method,
                endpoint.path.format(**(path or {})),
                json=body,
                content=content,
                headers=headers,
                timeout=patience,
            )
        except httpx.TimeoutException as error:
            raise ApiAwayError(self._url, "slow") from error
        except httpx.TransportError as error:
            raise ApiAwayError(self._url, "nobody") from error
        if response.is_success or response.status_code in endpoint.also:
            return self._read(endpoint, response)
        raise self._refusal(response)

    def _read[Answer](self, endpoint: Endpoint[Answer], response: httpx.Response) -> Answer:
        try:
            if endpoint.media == ARROW:
                return endpoint.answer.validate_python(response.content)
            if endpoint.media != JSON:
                return endpoint.answer.validate_python(response.text)
            return endpoint.answer.validate_json(response.content)
        except ValidationError as error:
            raise UnreadableError(str(response.url), str(error.errors()[0]["msg"])) from error

    def _refusal(self, response: httpx.Response) -> Exception:
        try:
            problem = Problem.model_validate_json(response.content)
        except ValidationError:
            return UnreadableError(str(response.url), f"status {response.status_code} without a reason")

        return NoModelError(problem.detail) if problem.type == NO_CHAMPION else RefusedError(problem)
