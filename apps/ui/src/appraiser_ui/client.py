"""The client of the API: typed answers, and errors that say what to do."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
from pydantic import ValidationError

from appraiser_schema import Batch, Decision, Explanation, ModelDetail, ModelVersion, Problem, Ready
from appraiser_ui.endpoints import BATCHES, DECISIONS, EXPLAIN, JSON, MODEL_CARD, MODEL_VERSION, MODELS, READY, Endpoint
from appraiser_ui.errors import ApiAwayError, NoModelError, RefusedError, UnreadableError

TIMEOUT: Final = httpx.Timeout(20.0, connect=2.0)
"""Seconds. An appraisal takes milliseconds; the first look into the registry after a start takes up to ten seconds."""

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
    ) -> Answer:
        try:
            response = self._http.request(endpoint.method, endpoint.path.format(**(path or {})), json=body)
        except httpx.TimeoutException as error:
            raise ApiAwayError(self._url, "it takes too long to answer") from error
        except httpx.TransportError as error:
            raise ApiAwayError(self._url, "nothing listens there") from error
        if response.is_success or response.status_code in endpoint.also:
            return self._read(endpoint, response)
        raise self._refusal(response)

    def _read[Answer](self, endpoint: Endpoint[Answer], response: httpx.Response) -> Answer:
        try:
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
