"""Runs the HTTP server."""

import uvicorn
from fastapi import FastAPI

from cogniflow_kit.settings import ServiceSettings

DRAIN_S = 15


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serve on HOST:PORT. After SIGTERM, running requests have DRAIN_S seconds to finish."""
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
