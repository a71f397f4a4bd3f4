"""Builds the profile repository and activity reader of a request."""

from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.sql.database import DatabaseSession
from users_service.profiles.activity import ActivityReader
from users_service.profiles.repository import ProfileRepository


async def get_profiles(db: DatabaseSession) -> ProfileRepository:
    return ProfileRepository(db)


async def get_activity_reader(request: Request) -> ActivityReader:
    reader: ActivityReader = request.app.state.activity
    return reader


Profiles = Annotated[ProfileRepository, Depends(get_profiles)]
Activities = Annotated[ActivityReader, Depends(get_activity_reader)]
