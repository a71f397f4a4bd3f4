"""Errors with HTTP status and stable code, rendered as problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

PROBLEM_JSON = "application/problem+json"


class FieldProblem(BaseModel):
    """One invalid field of a request, without its value."""

    field: str
    code: str
    message: str


class ServiceError(Exception):
    """An error for the caller; `detail` says what is wrong and what to do.

    `errors`: invalid fields. `more`: extension members of the problem (RFC
    9457, section 3.2).
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    keeps_changes: ClassVar[bool] = False
    """Whether the transaction commits all the same, such as for a counted login failure."""

    def __init__(
        self,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[FieldProblem] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors
        self.more = dict(more or {})


class Unauthorized(ServiceError):
    status = 401
    code = "unauthorized"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ServiceError):
    status = 403
    code = "forbidden"


class NotFound(ServiceError):
    """Also raised for objects that belong to another user."""

    status = 404
    code = "not_found"


class Conflict(ServiceError):
    status = 409
    code = "conflict"


class TooLarge(ServiceError):
    status = 413
    code = "too_large"


class Unprocessable(ServiceError):
    status = 422
    code = "unprocessable"


class Unavailable(ServiceError):
    """A store or service is unavailable; the request can be repeated later."""

    status = 503
    code = "service_unavailable"

    def __init__(self, detail: str, *, retry_after_s: int = 5, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)}, more=more)


class AlreadyAnswered(Exception):
    """Ends a repeated request with the stored response of the first one."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Problem(BaseModel):
    """Body of every error response."""

    model_config = ConfigDict(json_schema_extra={"description": "RFC 9457 problem details"})

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None = None
    errors: list[FieldProblem] | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Value for `responses=` of a route that can respond with these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem_response(
    request_id: str | None,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[FieldProblem] | None = None,
    more: Mapping[str, Any] | None = None,
) -> JSONResponse:
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        errors=errors,
    )
    body = {**(more or {}), **problem.model_dump(exclude_none=True)}
    return JSONResponse(body, status, dict(headers or {}), media_type=PROBLEM_JSON)


def request_id_of(request: Request) -> str | None:
    found: str | None = request.scope.get("state", {}).get("request_id")
    return found


def _allowed_methods(request: Request) -> str:
    """All methods of this path; Starlette names only those of the first matching route."""
    routes: list[BaseRoute] = request.app.router.routes
    return ", ".join(
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )


def error_response(request: Request, error: ServiceError) -> JSONResponse:
    return problem_response(
        request_id_of(request),
        error.status,
        error.code,
        error.detail,
        headers=error.headers,
        errors=error.errors,
        more=error.more,
    )


def install_error_handlers(app: FastAPI) -> None:
    """Render all errors of the app as problem details."""

    @app.exception_handler(ServiceError)
    async def _service_error(request: Request, error: ServiceError) -> JSONResponse:
        return error_response(request, error)

    @app.exception_handler(AlreadyAnswered)
    async def _already_answered(_: Request, repeated: AlreadyAnswered) -> JSONResponse:
        return JSONResponse(repeated.body, repeated.status, {"Idempotency-Replayed": "true"})

    @app.exception_handler(HTTPException)
    async def _http_error(request: Request, error: HTTPException) -> JSONResponse:
        status, headers = error.status_code, dict(error.headers or {})
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = _allowed_methods(request)
        # Python's name for 413 changed between releases; the code must not.
        code = TooLarge.code if status == TooLarge.status else HTTPStatus(status).name.lower()
        return problem_response(request_id_of(request), status, code, str(error.detail), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
        fields = [
            FieldProblem(
                field=".".join(str(part) for part in found["loc"]), code=found["type"], message=found["msg"]
            )
            for found in error.errors()
        ]
        return problem_response(
            request_id_of(request),
            422,
            "validation_failed",
            "Some fields are missing or not valid; `errors` names each one.",
            errors=fields,
        )
