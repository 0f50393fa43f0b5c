"""Errors of the API.

ApiError                answered as a problem document
├── NoChampionError     503 no model is loaded yet
├── AwayError           503 the registry or the ledger does not answer
├── LogFullError        503 an answer cannot be put on record, so it is not given
├── VersionError        404 there is no model of that version
├── BodyTooLargeError   413 the body is larger than a listing can be
├── ContentTypeError    415 the body is not declared as JSON
└── JsonError           422 the body is not JSON

ChampionError           a model was loaded but does not appraise; it never serves
"""

from http import HTTPStatus
from typing import ClassVar

from appraiser_schema import FieldProblem

MEBIBYTE = 1024 * 1024


class ApiError(Exception):
    """Base of the errors that have a problem document of their own.

    Attributes:
        status: HTTP status to answer with.
        kind: Last part of the problem's type, for programs.
        title: What kind of problem it is, for people; the same for every problem of that kind.
        errors: What is wrong with which part of the request.
        retry_after: After how long it is worth asking again. [s]
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    kind: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "The service made a mistake"

    def __init__(self, detail: str, *errors: FieldProblem, retry_after: int | None = None) -> None:
        self.errors = errors
        self.retry_after = retry_after
        super().__init__(detail)


class NoChampionError(ApiError):
    """There is no model to appraise with."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "no-champion"
    title = "No model is loaded yet"


class AwayError(ApiError):
    """The registry or the ledger does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "store-away"
    title = "A part of the system does not answer"

    def __init__(self, what: str, variable: str) -> None:
        super().__init__(
            f"the {what} does not answer; appraisals go on without it. Check that it runs and that {variable} names "
            "it; the log of this service says what went wrong.",
            retry_after=10,
        )


class LogFullError(ApiError):
    """An answer cannot be put on record, so it is not given."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "log-full"
    title = "Appraisals cannot be put on record"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the appraisal could not be put on record, and none is given without: {reason}. Make room on the disk of "
            "APPRAISER_PREDICTION_LOG; no restart is needed.",
            retry_after=10,
        )


class VersionError(ApiError):
    """There is no model of that version."""

    status = HTTPStatus.NOT_FOUND
    kind = "version-unknown"
    title = "There is no such model"

    def __init__(self, version: int) -> None:
        problem = FieldProblem(field="version", rule="must be a version that GET /models lists", value=version)
        super().__init__(f"there is no model of version {version}. GET /models lists those that there are.", problem)


class BodyTooLargeError(ApiError):
    """The body is larger than any listing."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    kind = "body-too-large"
    title = "The request is too large"

    def __init__(self, limit_bytes: int) -> None:
        problem = FieldProblem(field="body", rule=f"must be at most {limit_bytes:,} bytes", value=None)
        super().__init__(f"the body is larger than {limit_bytes / MEBIBYTE:g} MiB. Send one listing.", problem)


class ContentTypeError(ApiError):
    """The body is not declared as JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    kind = "content-type"
    title = "The body is not declared as JSON"

    def __init__(self, found: str | None) -> None:
        problem = FieldProblem(field="Content-Type", rule="must be application/json", value=found)
        super().__init__("send the listing as JSON with the header 'Content-Type: application/json'.", problem)


class JsonError(ApiError):
    """The body is not JSON."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "malformed-json"
    title = "The body is not JSON"

    def __init__(self, reason: str, excerpt: str) -> None:
        problem = FieldProblem(field="body", rule=f"must be JSON: {reason}", value=excerpt)
        super().__init__(f"the body cannot be read as JSON: {reason}.", problem)


class ChampionError(Exception):
    """A model was loaded whole, but what it answers is no price.

    Attributes:
        version: Version of the model.
        price_usd: What it answered for the example listing. [USD]
    """

    def __init__(self, version: int, price_usd: float) -> None:
        self.version = version
        self.price_usd = price_usd
        super().__init__(
            f"version {version} appraises the example listing at {price_usd!r} USD, or with an interval that does not "
            "hold that price. Promote another version."
        )
