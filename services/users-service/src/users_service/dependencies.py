"""Dependencies that several features share. Each feature wires its own services in its `dependencies.py`."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.jobs import Jobs
from users_service.settings import Settings


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def get_jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


CurrentSettings = Annotated[Settings, Depends(get_settings)]
JobQueue = Annotated[Jobs, Depends(get_jobs)]
