"""Every error as an RFC 9457 problem document."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from appraiser_api.errors import ApiError
from appraiser_api.wording import HOUSE, ROLLBACK, SALE, field_problems, plain_text
from appraiser_schema import FieldProblem, Problem

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:appraiser:problem:"

_BODIES: Final = {"/feedback": SALE, "/admin/rollback": ROLLBACK}
"""What the bodies say that describe no house."""

_DETAILS: Final[Mapping[int, str]] = {
    404: "there is nothing at this address. GET / lists what there is, GET /docs describes it.",
    405: "this address does not take that method. The header Allow lists those that it takes.",
}


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(ApiError, _answer_api_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http_error)


def internal_error(scope: Scope) -> Response:
    """What is answered where the code failed; what failed stands in the log, never in the answer."""
    detail = "the service could not answer because of a fault of its own. Give its operator the request id."
    return _response(scope, 500, kind=ApiError.kind, title=ApiError.title, detail=detail)


def refusal(scope: Scope, error: ApiError) -> Response:
    """What is answered to a request that ends in this error."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return _response(
        scope,
        error.status,
        kind=error.kind,
        title=error.title,
        detail=str(error),
        errors=error.errors,
        headers={**error.headers, **headers},
    )


async def _answer_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - starlette's signature says less than its contract
    return refusal(request.scope, error)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    problems = field_problems(error.errors(), _BODIES.get(request.url.path, HOUSE))
    first = problems[0]
    given = "" if first.value is None else f" It was {first.value!r}."
    more = f" {len(problems) - 1} more: see errors." if len(problems) > 1 else ""
    detail = f"{first.field} {first.rule}{'' if first.rule.endswith('?') else '.'}{given}{more}"
    title = "The request breaks a rule"
    return _response(request.scope, 422, kind="invalid-request", title=title, detail=detail, errors=problems)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    status = HTTPStatus(error.status_code)
    kind = status.phrase.lower().replace(" ", "-")
    detail = _DETAILS.get(status, str(error.detail))
    return _response(request.scope, status, kind=kind, title=status.phrase, detail=detail, headers=error.headers)


def _response(
    scope: Scope,
    status: int,
    *,
    kind: str,
    title: str,
    detail: str,
    errors: tuple[FieldProblem, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = Problem(
        type=TYPE_PREFIX + kind,
        title=title,
        status=int(status),
        detail=detail[:1].upper() + detail[1:],
        instance=plain_text(scope["path"]),
        request_id=scope["state"]["request_id"],
        errors=errors,
    )
    return Response(problem.model_dump_json(), int(status), headers, MEDIA_TYPE)
