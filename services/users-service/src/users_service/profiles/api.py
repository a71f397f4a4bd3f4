"""Routes of one's own profile."""

from fastapi import APIRouter, Request

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import Database, DatabaseSession
from users_service.profiles.activity import ActivityReader
from users_service.profiles.repository import ProfileRepository
from users_service.profiles.schemas import Activity, ProfileEdit, ProfileOut

router = APIRouter(prefix="/api/profile", tags=["profile"])


@router.get("", responses=problems(404))
def get_profile(user: CurrentUser, db: DatabaseSession) -> ProfileOut:
    """The caller's own profile."""
    return ProfileOut.model_validate(ProfileRepository(db).get(user.id))


@router.put("", responses=problems(404))
def put_profile(user: CurrentUser, body: ProfileEdit, db: DatabaseSession) -> ProfileOut:
    """Change the caller's own profile."""
    changes = body.model_dump(exclude_unset=True)
    return ProfileOut.model_validate(ProfileRepository(db).change(user.id, changes))


@router.get("/activity", responses=problems(404))
def activity(user: CurrentUser, request: Request) -> Activity:
    """What the caller did so far. A part that can't be had within two seconds says so."""
    database: Database = request.app.state.database
    reader: ActivityReader = request.app.state.activity
    # No session is held while others are asked.
    with database.transaction() as db:
        timezone = ProfileRepository(db).get(user.id).timezone
    return reader.read(user, timezone)
