"""The client of the listing API: one question at a time, never asked twice in silence."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from appraiser_pipeline.errors import LostBatchError, SourceAwayError, SourceError, SourceRefusedError

EXHAUSTED_WORDS = ("toda la información mínima necesaria", "toda la información minima necesaria")
"""How two editions of the API say that there is no further batch, with the same status as a bad group number."""


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """Who the source is.

    Attributes:
        name: The source's own name for its data, or the API's host where it tells none.
        simulated: Whether its listings are made up.
    """

    name: str
    simulated: bool


class Source:
    """The listing API, for one group and day.

    `GET /data` moves a cursor on the server with every call, whether its answer arrives or not. So nothing here
    repeats a question: a lost answer is an error, and the caller repairs it by a restart and a replay.
    """

    def __init__(self, url: str, group_number: int, day: str | None, timeout: dt.timedelta) -> None:
        self.url = url
        self.group_number = group_number
        self.day = day
        transport = httpx.HTTPTransport(retries=0)
        # The address is given in the settings: a proxy of the surroundings must not repeat or cut an answer.
        self._client = httpx.Client(base_url=url, timeout=timeout.total_seconds(), transport=transport, trust_env=False)

    def identity(self) -> SourceIdentity:
        """Ask who the source is.

        Raises:
            SourceAwayError: It does not answer, or not well.
        """
        try:
            response = self._client.get("/")
        except httpx.HTTPError as error:
            raise SourceAwayError(self.url, f"does not answer ({_words(error)})") from None
        if not response.is_success:
            raise SourceAwayError(self.url, f"answers {response.status_code} to GET /")
        greeting = _object(response)
        return SourceIdentity(
            name=str(greeting.get("source") or httpx.URL(self.url).host),
            simulated=greeting.get("simulated") is True,
        )

    @contextmanager
    def next_batch(self) -> Iterator[Iterator[bytes] | None]:
        """Ask for the next batch. The cursor moves.

        Yields:
            The bytes of the answer, as they arrive; None where there is no further batch.

        Raises:
            LostBatchError: The answer did not arrive whole.
            SourceRefusedError: The group or the day is not known to the source.
            SourceError: There is no listing API at this address.
        """
        try:
            with self._client.stream("GET", "/data", params=self._params) as response:
                if response.is_success:
                    yield response.iter_bytes(1 << 20)
                    return
                text = response.read().decode(errors="replace")
                if response.status_code >= 500:
                    raise LostBatchError(self.url, f"status {response.status_code}, {text[:200]!r}")
                if response.status_code not in {400, 422}:
                    raise SourceError(self.url, f"answers {response.status_code} to GET /data. Set APPRAISER_FEED_URL.")
                if not any(words in text for words in EXHAUSTED_WORDS):
                    raise SourceRefusedError(self.url, self.group_number, self.day, response.status_code, text[:200])
                yield None
        except httpx.HTTPError as error:
            raise LostBatchError(self.url, _words(error)) from None

    def restart(self) -> None:
        """Send the cursor back to the first batch.

        Raises:
            SourceError: It did not.
        """
        try:
            response = self._client.get("/restart_data_generation", params=self._params)
        except httpx.HTTPError as error:
            raise SourceError(self.url, f"did not restart ({_words(error)}). Run the pipeline again.") from None
        if not response.is_success:
            raise SourceError(
                self.url, f"did not restart: status {response.status_code}, {response.text[:200]!r}. Run it again."
            )

    def close(self) -> None:
        """Give back the connection."""
        self._client.close()

    @property
    def _params(self) -> dict[str, str | int]:
        return {"group_number": self.group_number} | ({"day": self.day} if self.day else {})


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _words(error: httpx.HTTPError) -> str:
    kind = type(error).__name__
    return f"{kind}: {error}" if str(error) else kind
