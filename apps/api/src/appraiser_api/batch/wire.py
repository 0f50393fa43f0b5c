"""What the service and its table process say to each other.

Each table has a socket of its own: a job goes one way, the answer comes back the other, both in frames of a kind, a
length and so many bytes. Notes on the log come back on the socket that both share as long as they live, one per line.
"""

import struct
from enum import Enum
from pathlib import Path
from typing import Final

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from appraiser_api.batch import errors
from appraiser_api.batch.kinds import Kind
from appraiser_api.cache import Pointer
from appraiser_api.errors import ApiError, LogFullError
from appraiser_api.prediction_log import SyncPolicy
from appraiser_api.prediction_log.metrics import Failed
from appraiser_api.settings import Settings
from appraiser_schema import FieldProblem, Record

MODEL: Final = "X-Appraiser-Model"
RECORD: Final = "X-Appraiser-Request-ID"
IGNORED: Final = "X-Appraiser-Ignored-Columns"
"""Headers of the answer that the process sets."""

HEADER: Final = struct.Struct(">cI")

_KNOWN: Final[dict[str, type[ApiError]]] = {
    error.__name__: error
    for error in (errors.BatchShapeError, errors.BatchBodyError, errors.BatchModelError, LogFullError)
}


class Frame(Enum):
    """What a frame holds."""

    JOB = b"J"
    HEADERS = b"H"
    PART = b"P"
    REFUSAL = b"R"
    END = b"E"


class Setup(Record):
    """What the process is told once, through its standard input: no address of a ledger is seen among arguments."""

    prediction_log: Path
    sync: SyncPolicy
    ledger_url: str
    models: Path
    threads: PositiveInt

    @classmethod
    def of(cls, settings: Settings) -> "Setup":
        """Those of the service."""
        return cls(
            prediction_log=settings.prediction_log,
            sync=settings.prediction_log_sync,
            ledger_url=settings.ledger_url,
            models=settings.model_cache,
            threads=settings.batch_threads,
        )


class Job(Record):
    """One table; its body is a file that is handed over with it.

    Attributes:
        model: Which of the cached models answers.
        sent: What the body is.
        wanted: What the answer shall be.
        record_id: Under which it is put on record.
        client_id: The client's own id of the request.
        began: When it was begun, by `time.perf_counter`, whose clock all processes of a machine share. [s]
    """

    model: Pointer
    sent: Kind
    wanted: Kind
    record_id: str
    client_id: str | None
    began: float


class Refusal(Record):
    """An error that ends an answer.

    Attributes:
        error: Its type; none of those that a client is told of where the process itself made a mistake.
    """

    error: str
    detail: str = ""
    errors: tuple[FieldProblem, ...] = ()
    retry_after: int | None = None

    @classmethod
    def of(cls, error: Exception) -> "Refusal":
        """What is said of an error; of a mistake nothing but its type."""
        name = type(error).__name__
        if not isinstance(error, ApiError):
            return cls(error=name)
        return cls(error=name, detail=str(error), errors=error.errors, retry_after=error.retry_after)

    def raised(self) -> Exception:
        """The same error on the other side."""
        known = _KNOWN.get(self.error)
        if known is None:
            return RuntimeError(f"the table process made a mistake: {self.error}")
        error = known.__new__(known)
        ApiError.__init__(error, self.detail, *self.errors, retry_after=self.retry_after)
        return error


class Note(Record):
    """One thing that the log of the process counts.

    Attributes:
        waiting: Records, bytes and the age of the oldest that wait for the ledger. [s]
        shipped: Appraisals that the ledger has taken.
        failed: What went wrong.
    """

    waiting: tuple[NonNegativeInt, NonNegativeInt, NonNegativeFloat] | None = None
    shipped: NonNegativeInt = 0
    failed: Failed | None = None


def frame(kind: Frame, content: bytes = b"") -> bytes:
    """One frame."""
    return HEADER.pack(kind.value, len(content)) + content


def read_header(header: bytes) -> tuple[Frame, int]:
    """Kind and length of what follows."""
    kind, length = HEADER.unpack(header)
    return Frame(kind), length
