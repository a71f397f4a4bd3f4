"""Builds a service's FastAPI application from its settings, stores and routers."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import signature
from typing import Any, Protocol

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from cogniflow_kit import health
from cogniflow_kit.errors import Problem, Unavailable, error_response, install_error_handlers, problems
from cogniflow_kit.identity import KeySource, TokenVerifier
from cogniflow_kit.logging import configure_logging
from cogniflow_kit.middleware import RequestContext
from cogniflow_kit.settings import ServiceSettings
from cogniflow_kit.stores import Store

_ROUTE_PARAMETERS = frozenset(signature(APIRouter.add_api_route).parameters) - {"self"}

log = structlog.stdlib.get_logger(__name__)


class Background(Protocol):
    """A thread that runs beside the requests."""

    def start(self) -> None:
        """Called before the first request."""

    def stop(self) -> None:
        """Called after the last request, while the stores are still open."""


def create_application(
    settings: ServiceSettings,
    *,
    summary: str,
    routers: Sequence[APIRouter],
    stores: Sequence[Store],
    keys: KeySource,
    background: Sequence[Background] = (),
    notices: Mapping[str, Callable[[], Any]] | None = None,
    max_body_bytes: int = 1_000_000,
    uploads: Mapping[str, int] | None = None,
) -> FastAPI:
    """Build the application of a service: routes, error handlers, middleware, health and metrics.

    `notices`: further members of `/health/ready`, by name. `uploads`: limits in
    bytes for paths that accept larger bodies than `max_body_bytes`. A service
    puts its own objects into `app.state`; its `dependencies.py` reads them.
    """
    configure_logging(settings.service, settings.log_level)

    app = FastAPI(
        title=settings.service,
        summary=summary,
        version="0.1.0",
        lifespan=_lifespan(settings, stores, (keys, *background)),
        responses=problems(400, 401, 403, 413, 422, 503),
    )
    app.state.settings = settings
    app.state.stores = list(stores)
    app.state.notices = dict(notices or {})
    app.state.verifier = TokenVerifier(keys, issuer=settings.public_url, service=settings.service)
    app.add_middleware(RequestContext, max_body_bytes=max_body_bytes, uploads=uploads or {})
    install_error_handlers(app)
    for store in stores:
        _answer_outages(app, store)
    for router in (health.router, *routers):
        _add_routes(app, router)
    _describe_problems(app)
    return app


def _lifespan(
    settings: ServiceSettings, stores: Sequence[Store], work: Sequence[Background]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Start the background work before the first request; stop it, then close the stores, after the last."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for part in work:
            part.start()
        log.info("started", env=settings.cogniflow_env)
        yield
        for part in reversed(work):
            part.stop()
        for store in stores:
            store.close()
        log.info("stopped")

    return lifespan


def _add_routes(app: FastAPI, router: APIRouter) -> None:
    """Copy a router's routes into the application.

    `include_router` keeps the router as a nested one, and FastAPI searches it
    twice for each request.
    """
    for route in router.routes:
        if isinstance(route, APIRoute):
            parameters = {name: getattr(route, name) for name in _ROUTE_PARAMETERS if hasattr(route, name)}
            app.router.add_api_route(**parameters, route_class_override=type(route))
        else:
            app.router.routes.append(route)


def _answer_outages(app: FastAPI, store: Store) -> None:
    async def away(request: Request, error: Exception) -> JSONResponse:
        log.warning("store away", store=store.name, error=type(error).__name__)
        return error_response(request, Unavailable(f"{store.name} is away; try again shortly."))

    for kind in store.outage:
        app.add_exception_handler(kind, away)


def _describe_problems(app: FastAPI) -> None:
    """Add the schema that `problems()` refers to to the OpenAPI document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, summary=app.summary, routes=app.routes
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs"))
            schemas["Problem"] = problem
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
