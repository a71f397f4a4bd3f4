"""Serves an application until it is told to stop."""

import uvicorn
from fastapi import FastAPI

from cogniflow_kit.settings import ServiceSettings

DRAIN_S = 15


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Listen on HOST:PORT; SIGTERM lets requests in flight finish, 15 s at most."""
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
    )
