"""What can be wrong with a table of houses as a whole; what is wrong with one row stands beside the other rows.

ApiError
├── BatchTypeError      415 the body is declared as no kind of table
├── AcceptError         406 the client takes no kind of table that there is
├── BatchTooLargeError  413 the body is larger than may be
├── BatchShapeError     422 the table has no column with the state, or one name twice
├── BatchBodyError      422 the body is not what it is declared to be
├── BatchBusyError      503 as many tables wait or are worked on as may be
├── BatchModelError     503 the model is not in the cache any more
├── BatchStoppedError   503 the process that works on tables has ended, or cannot be started
└── SpoolFullError      503 there is no room for the body
"""

from http import HTTPStatus

from appraiser_api.errors import MEBIBYTE, ApiError
from appraiser_schema import LISTING_COLUMNS, FieldProblem


class BatchTypeError(ApiError):
    """The body is declared as no kind of table."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    kind = "content-type"
    title = "The body is not declared as a table"

    def __init__(self, found: str | None, kinds: tuple[str, ...]) -> None:
        rule = f"must be one of {', '.join(kinds)}"
        super().__init__(
            f"send the houses with a header 'Content-Type' that says what they are written in: one of "
            f"{', '.join(kinds)}.",
            FieldProblem(field="Content-Type", rule=rule, value=found),
        )


class AcceptError(ApiError):
    """The client takes no kind of table that there is."""

    status = HTTPStatus.NOT_ACCEPTABLE
    kind = "accept"
    title = "The answer cannot be written that way"

    def __init__(self, found: str, kinds: tuple[str, ...]) -> None:
        rule = f"must be one of {', '.join(kinds)}, or */* for the kind that was sent"
        super().__init__(
            f"the appraisals can be written as {', '.join(kinds)}; name one of them in the header 'Accept'.",
            FieldProblem(field="Accept", rule=rule, value=found),
        )


class BatchTooLargeError(ApiError):
    """The body is larger than may be."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    kind = "body-too-large"
    title = "The request is too large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"the body is larger than {limit_bytes / MEBIBYTE:,g} MiB. Send the houses in several requests, or as "
            "Parquet, which takes a tenth of the bytes.",
            FieldProblem(field="body", rule=f"must be at most {limit_bytes:,} bytes", value=None),
        )


class BatchShapeError(ApiError):
    """The table has no column with the state, one name twice, or columns without number."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "table-shape"
    title = "The table has not the columns of listings"

    def __init__(self, rule: str, found: str) -> None:
        super().__init__(
            f"the table {rule}. The columns of a listing are {', '.join(LISTING_COLUMNS)}; only the state is needed.",
            FieldProblem(field="body", rule=rule, value=found[:200]),
        )


class BatchBodyError(ApiError):
    """The body is not what it is declared to be."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "malformed-table"
    title = "The body cannot be read as a table"

    def __init__(self, what: str, rule: str, excerpt: bytes | str) -> None:
        value = excerpt.decode("utf-8", "replace") if isinstance(excerpt, bytes) else excerpt
        super().__init__(f"the body, declared as {what}, {rule}.", FieldProblem(field="body", rule=rule, value=value))


class BatchBusyError(ApiError):
    """As many tables wait or are worked on as may be."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "busy"
    title = "The service has its hands full"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} tables wait or are worked on, and no more are taken at a time (APPRAISER_BATCH_WAITING). Ask "
            "again in a moment; single houses are answered all the same.",
            retry_after=5,
        )


class BatchModelError(ApiError):
    """The model is not in the cache any more, or was damaged there."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "table-model"
    title = "The model cannot be read for tables"

    def __init__(self, version: int) -> None:
        super().__init__(
            f"version {version} cannot be read from the folder that the service keeps its models in "
            "(APPRAISER_MODEL_CACHE), where it was when it was loaded. Single houses are answered all the same; "
            "restart the service, which fetches it anew.",
            retry_after=10,
        )


class BatchStoppedError(ApiError):
    """The process that works on tables has ended, or cannot be started."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "table-stopped"
    title = "The work on the table was cut short"

    def __init__(self) -> None:
        super().__init__(
            "the process that works on tables has ended, or could not be started; the usual cause is too little "
            "memory. The next table starts another: send this one again, in several requests if it happens once more. "
            "The log of this service says how it ended.",
            retry_after=5,
        )


class SpoolFullError(ApiError):
    """There is no room for the body."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "spool-full"
    title = "There is no room for the table"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the body could not be kept until it is read: {reason}. Make room on the disk of APPRAISER_BATCH_FOLDER; "
            "no restart is needed.",
            retry_after=10,
        )
