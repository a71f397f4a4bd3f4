"""Routes for liveness, readiness and metrics."""

import time

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from cogniflow_kit.stores import Store

log = structlog.stdlib.get_logger(__name__)
router = APIRouter(include_in_schema=False)


class StoreHealth(BaseModel):
    """`latency_ms`: duration of one round trip, in milliseconds."""

    ok: bool
    latency_ms: float


@router.get("/health/live")
async def live() -> PlainTextResponse:
    return PlainTextResponse("ok")


@router.get("/health/ready")
def ready(request: Request) -> JSONResponse:
    stores: list[Store] = request.app.state.stores
    found = {store.name: _probe(store) for store in stores}
    healthy = all(health.ok for health in found.values())
    body = {
        "status": "ready" if healthy else "degraded",
        "stores": {name: health.model_dump() for name, health in found.items()},
        **{name: tell() for name, tell in request.app.state.notices.items()},
    }
    return JSONResponse(body, 200 if healthy else 503)


def _probe(store: Store) -> StoreHealth:
    started = time.perf_counter()
    try:
        store.check()
        ok = True
    except Exception as error:  # noqa: BLE001 -- any error of a driver means unavailable
        log.warning("store away", store=store.name, error=type(error).__name__)
        ok = False
    return StoreHealth(ok=ok, latency_ms=round((time.perf_counter() - started) * 1000, 2))


@router.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
