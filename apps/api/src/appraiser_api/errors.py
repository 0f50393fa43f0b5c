"""Errors of the API.

ApiError                answered as a problem document
├── NoChampionError     503 no model is loaded yet
├── AwayError           503 the registry or the ledger does not answer
├── LogFullError        503 an answer cannot be put on record, so it is not given
├── BusyError           503 as many requests are being worked on as may be
├── TooSlowError        503 the answer takes longer than it may
├── RateError           429 this client asks more often than it may
├── KeyMissingError     401 the address needs a key
├── KeyUnknownError     401 the key is none of ours
├── KeyScopeError       403 the key may not do this
├── SlowBodyError       408 the body does not arrive in time
├── KeysNeededError     403 it is done by name only, and the service runs without keys
├── VersionRefusedError 409 a version did not pass its trial
├── NoneBeforeError     409 no champion came before the present one
├── RegistryRefusesError 503 the registry did not take what was to be written
├── BatchError          404 there is no such batch
├── VersionError        404 there is no model of that version
├── StateError          404 nobody knows a state of that name
├── PredictionError     404 there is no such appraisal on record
├── NobodyThenError     404 no version was in production at that moment
├── MomentError         422 what is asked about is no instant of the past
├── BodyTooLargeError   413 the body is larger than a listing can be
├── ContentTypeError    415 the body is not declared as JSON
└── JsonError           422 the body is not JSON

ChampionError           a model was loaded but does not appraise; it never serves
KeysFileError           the file of the API keys cannot be read
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar, Final

from appraiser_schema import FieldProblem, Scope
from appraiser_store import InstantError, NoChampionThenError

MEBIBYTE = 1024 * 1024


class ApiError(Exception):
    """Base of the errors that have a problem document of their own.

    Attributes:
        status: HTTP status to answer with.
        kind: Last part of the problem's type, for programs.
        title: What kind of problem it is, for people; the same for every problem of that kind.
        errors: What is wrong with which part of the request.
        retry_after: After how long it is worth asking again. [s]
        headers: Further headers of the answer.
    """

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    kind: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "The service made a mistake"

    def __init__(
        self,
        detail: str,
        *errors: FieldProblem,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.errors = errors
        self.headers = headers or {}
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


class BusyError(ApiError):
    """As many requests are being worked on as may be."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "busy"
    title = "The service has its hands full"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit} requests are being worked on, and no more are taken at a time. Ask again in a moment, or let "
            "more workers serve (APPRAISER_API_WORKERS).",
            retry_after=1,
        )


class TooSlowError(ApiError):
    """The answer takes longer than it may."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "too-slow"
    title = "The answer takes too long"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"there is no answer after {seconds:g} s, so it is not waited for. A store that hangs is the usual cause; "
            "the limit is APPRAISER_API_HANDLER_SECONDS.",
            retry_after=5,
        )


class RateError(ApiError):
    """This client asks more often than it may."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    kind = "rate"
    title = "Too many requests"

    def __init__(self, per_second: float, retry_after: int) -> None:
        super().__init__(
            f"this key or address may ask {per_second:g} times a second (APPRAISER_API_RATE). Wait, or send many "
            "houses at once to POST /predict/batch.",
            retry_after=retry_after,
        )


_CHALLENGE: Final = 'Bearer realm="appraiser"'


class KeyMissingError(ApiError):
    """The address needs a key."""

    status = HTTPStatus.UNAUTHORIZED
    kind = "key-missing"
    title = "An API key is needed"

    def __init__(self) -> None:
        super().__init__(
            "send an API key in the header 'Authorization: Bearer KEY', or in 'X-API-Key'. Whoever runs the service "
            "makes one with './appraiser keys create NAME --scope SCOPE'.",
            headers={"WWW-Authenticate": _CHALLENGE},
        )


class KeyUnknownError(ApiError):
    """The key is none of ours."""

    status = HTTPStatus.UNAUTHORIZED
    kind = "key-unknown"
    title = "The API key is not known"

    def __init__(self) -> None:
        super().__init__(
            "the API key is not known: it was revoked, or was copied in part. Ask for a new one.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
        )


class KeyScopeError(ApiError):
    """The key may not do this."""

    status = HTTPStatus.FORBIDDEN
    kind = "key-scope"
    title = "The API key may not do this"

    def __init__(self, name: str, scope: Scope) -> None:
        problem = FieldProblem(field="API key", rule=f"must have the scope {scope.value!r}", value=name)
        super().__init__(
            f"the key {name!r} lacks the scope {scope.value!r}. Ask for a key that has it "
            f"('./appraiser keys create NAME --scope {scope.value}').",
            problem,
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{scope.value}"'},
        )


class KeysNeededError(ApiError):
    """It is done by name only, and the service runs without keys."""

    status = HTTPStatus.FORBIDDEN
    kind = "keys-needed"
    title = "This needs a service with API keys"

    def __init__(self) -> None:
        super().__init__(
            "this service runs without API keys, so it cannot tell who asks, and no champion is taken back without a "
            "name. On its machine use './appraiser models rollback VERSION --why REASON'; for the page make a key "
            "('./appraiser keys create NAME --scope admin') and let APPRAISER_API_KEYS name the file.",
        )


class VersionRefusedError(ApiError):
    """A version did not pass its trial, so that it is not put in service."""

    status = HTTPStatus.CONFLICT
    kind = "version-refused"
    title = "The version is refused"

    def __init__(self, version: int, problem: str) -> None:
        field = FieldProblem(field="version", rule="must be one that can be loaded and appraises", value=version)
        super().__init__(
            f"version {version} is refused: {problem.rstrip('.')}. Nothing moved; choose another version.", field
        )


class NoneBeforeError(ApiError):
    """No champion came before the present one."""

    status = HTTPStatus.CONFLICT
    kind = "none-before"
    title = "There is nothing to go back to"

    def __init__(self) -> None:
        field = FieldProblem(field="version", rule="must name a version that GET /models lists", value=None)
        super().__init__("no champion came before the present one. Nothing moved; name a version.", field)


class RegistryRefusesError(ApiError):
    """The registry did not take what was to be written."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "registry-refuses"
    title = "The registry does not let this service write"

    def __init__(self) -> None:
        super().__init__(
            "the registry answered, and did not do what it was asked. Nothing was recorded. The usual cause is that "
            "this service may read MLflow (MLFLOW_TRACKING_URI) but not write to it: let it, or use "
            "'./appraiser models rollback' where that is allowed. The log of this service says what went wrong.",
        )


class BatchError(ApiError):
    """There is no such batch."""

    status = HTTPStatus.NOT_FOUND
    kind = "batch-unknown"
    title = "There is no such batch"

    def __init__(self, batch_number: int) -> None:
        problem = FieldProblem(field="batch_number", rule="must be a batch that GET /batches lists", value=batch_number)
        super().__init__(f"there is no batch {batch_number}. GET /batches lists those that there are.", problem)


class SlowBodyError(ApiError):
    """The body does not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    kind = "slow-body"
    title = "The request takes too long to arrive"

    def __init__(self, received: int, seconds: float) -> None:
        super().__init__(
            f"of the body {received:,} bytes had arrived after {seconds:.0f} s; the rest is not waited for. Send it "
            "anew, over a line that does not stall.",
            headers={"Connection": "close"},
        )


class VersionError(ApiError):
    """There is no model of that version."""

    status = HTTPStatus.NOT_FOUND
    kind = "version-unknown"
    title = "There is no such model"

    def __init__(self, version: int) -> None:
        problem = FieldProblem(field="version", rule="must be a version that GET /models lists", value=version)
        super().__init__(f"there is no model of version {version}. GET /models lists those that there are.", problem)


class StateError(ApiError):
    """Nobody knows a state of this name."""

    status = HTTPStatus.NOT_FOUND
    kind = "state-unknown"
    title = "There is no such state"

    def __init__(self, state: str) -> None:
        problem = FieldProblem(field="state", rule="must be a state, by its full English name", value=state)
        super().__init__(f"there is no state {state!r}. GET /places lists those that there are.", problem)


class PredictionError(ApiError):
    """There is no such appraisal on record."""

    status = HTTPStatus.NOT_FOUND
    kind = "prediction-unknown"
    title = "There is no such appraisal on record"

    def __init__(self, request_id: str, row: int) -> None:
        problem = FieldProblem(field="request_id", rule="must be the request_id of an answer", value=request_id)
        super().__init__(
            f"no appraisal with the request_id {request_id!r} and row {row} is on record. One given just now may take "
            "seconds to get there; the id is that in the answer's body, and row is 0 for a single house.",
            problem,
        )


class NobodyThenError(ApiError):
    """No version was in production at that moment."""

    status = HTTPStatus.NOT_FOUND
    kind = "nobody-then"
    title = "No model was in production then"

    def __init__(self, error: NoChampionThenError) -> None:
        rule = f"must be {error.first.isoformat()} or later" if error.first else "must come after the first promotion"
        super().__init__(str(error), FieldProblem(field="at", rule=rule, value=error.at.isoformat()))


class MomentError(ApiError):
    """What is asked about is no instant of the past."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "invalid-request"
    title = "The request breaks a rule"

    def __init__(self, error: InstantError) -> None:
        rule = "must be an instant of the past with its zone, such as 2026-11-24T10:00Z"
        super().__init__(str(error), FieldProblem(field="at", rule=rule, value=error.instant))


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


class KeysFileError(Exception):
    """The file of the API keys cannot be read.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(
            f"APPRAISER_API_KEYS names {str(path)!r}, which holds no API keys ({reason}). Make one with "
            "'./appraiser keys create NAME --scope predict'."
        )
