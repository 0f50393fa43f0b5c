"""POST /predict without detours: a listing that is in order is answered where its last byte arrives.

Whatever is unusual about a request takes the careful way, through FastAPI and all that stands before it: it alone says
what is wrong, and it alone stands in the OpenAPI document. A listing that is in order gets the same answer on both.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from pydantic_core import from_json

from appraiser_api.admission import Admission, key_in
from appraiser_api.appraising import Question, appraise, count
from appraiser_api.asked import Asked
from appraiser_api.body import BODY_LIMIT_BYTES
from appraiser_api.draining import DRAINING
from appraiser_api.envelope import SECURITY, client_id_in, record
from appraiser_api.errors import ApiError
from appraiser_api.prediction_log import new_request_id
from appraiser_api.services import Services
from appraiser_schema import Appraisal, Listing, Scope

PATH: Final = "/predict"
METHOD: Final = "POST"

_JSON: Final = (b"content-type", b"application/json")
_ORIGIN: Final = b"origin"
_VALIDATE: Final = Listing.__pydantic_validator__.validate_python
_TO_JSON: Final = Appraisal.__pydantic_serializer__.to_json

type Headers = Sequence[tuple[bytes, bytes]]

logger = structlog.get_logger("appraiser_api")


@dataclass(slots=True)
class Held:
    """A request that has arrived whole.

    Attributes:
        headers: Names in lower case.
        body: All of it.
        client: Address of who asks.
        always: Headers of every answer of the server.
        reply: Takes the whole answer; None sends the request the careful way.
        began: When it had arrived, by `time.perf_counter`. [s]
    """

    headers: Headers
    body: bytes
    client: str
    always: Headers
    reply: Callable[[bytes | None], None]
    began: float = field(default_factory=time.perf_counter)


class ShortWay:
    """What a connection asks before it hands a request to the application.

    The requests that arrive in one turn of the event loop are answered together: one run of the trees, one write of the
    log before any of the answers leaves. What they have in common is then done once, by code and data that the
    processor has at hand: half the time for each.

    Args:
        services: What it answers from.
        admission: Who may ask, and how often.
        origins: Whether pages of other sites may ask: theirs take the careful way, which tells their browsers so.
    """

    def __init__(self, services: Services, admission: Admission, *, origins: bool) -> None:
        self._services = services
        self._admission = admission
        self._origins = origins
        self._waiting: list[Held] = []
        self._answered: list[tuple[Question, Appraisal]] = []
        self._always: Headers = ()
        self._first = self._last = b""

    def ask(self, held: Held, soon: Callable[..., object], *, alone: bool) -> None:
        """Have a request answered: at once, or together with the others of this turn.

        Args:
            held: The request.
            soon: Calls a function with arguments in the next turn of the event loop.
            alone: Whether there is nobody else who could ask.
        """
        self._waiting.append(held)
        if alone:
            self.settle(soon)
        elif len(self._waiting) == 1:
            soon(self.settle, soon)

    def settle(self, soon: Callable[..., object]) -> None:
        """Answer now whatever waits, and count it while those who asked read the answers.

        Args:
            soon: As for `ask`. What was answered in one turn of the event loop is sent at its end.
        """
        waiting, self._waiting = self._waiting, []
        for held, answer in zip(waiting, self._answers(waiting), strict=True):
            try:
                held.reply(answer)
            except Exception:
                # Those behind it must get theirs.
                logger.exception("answer_not_sent")
        if self._answered:
            soon(self._count)

    def _answers(self, waiting: Sequence[Held]) -> list[bytes | None]:
        questions = [self._question(held) for held in waiting]
        good = [question for question in questions if question is not None]
        try:
            appraisals = iter(appraise(self._services, good) if good else ())
        except ApiError:
            return [None] * len(waiting)
        except Exception:
            # Each for itself on the careful way, so that what is wrong with one harms no other.
            logger.exception("short_way_failed")
            return [None] * len(waiting)
        return [
            None if question is None else self._write(question, next(appraisals), held.always)
            for question, held in zip(questions, waiting, strict=True)
        ]

    def _question(self, held: Held) -> Question | None:
        """What is asked; None where something is unusual."""
        headers, admission = held.headers, self._admission
        if DRAINING.on or len(held.body) > BODY_LIMIT_BYTES or _JSON not in headers:
            return None
        if self._origins and any(name == _ORIGIN for name, _ in headers):
            return None
        asked = Asked(held.began, new_request_id(), client_id_in(headers))
        try:
            if admission.keyring is not None:
                asked.key_name = admission.identify(key_in(headers), Scope.PREDICT)
            listing = _listing(held.body)
            if listing is None:
                return None
            # Last of what may refuse: a request that goes the careful way is counted there.
            admission.take(asked.key_name or held.client)
        except ApiError:
            return None
        return listing, asked

    def _write(self, question: Question, appraisal: Appraisal, always: Headers) -> bytes:
        """The whole answer."""
        content = _TO_JSON(appraisal)
        self._answered.append((question, appraisal))
        if always is not self._always:
            self._keep(always)
        request_id = question[1].request_id.encode()
        return b"%b%d%b%b%b%b" % (self._first, len(content), _BETWEEN, request_id, self._last, content)

    def _count(self) -> None:
        """Count what was answered."""
        answered, self._answered = self._answered, []
        for (listing, asked), appraisal in answered:
            count(self._services, listing, appraisal)
            record(self._services.metrics, asked, METHOD, PATH, 200)

    def _keep(self, always: Headers) -> None:
        """What the head of every answer has in common; the server writes its date anew each second."""
        self._always = always
        self._first = b"HTTP/1.1 200 OK\r\n" + _lines(always) + b"content-length: "
        self._last = b"\r\n" + _lines(SECURITY) + b"\r\n"


_BETWEEN: Final = b"\r\ncontent-type: application/json\r\nx-request-id: "


def _lines(headers: Headers) -> bytes:
    return b"".join([name + b": " + value + b"\r\n" for name, value in headers])


def _listing(body: bytes) -> Listing | None:
    """Read a listing as the careful way does."""
    try:
        parsed: Any = from_json(body)
        return _VALIDATE(parsed) if type(parsed) is dict else None
    except ValueError:
        return None
