"""Routes of the caller's own profile."""

from fastapi import APIRouter, Request

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from cogniflow_kit.sql.database import Database
from users_service.profiles.dependencies import Activities, Profiles
from users_service.profiles.repository import ProfileRepository
from users_service.profiles.schemas import Activity, ProfileEdit, ProfileOut

router = APIRouter(prefix="/api/profile", tags=["profile"])


@router.get("", responses=problems(404))
def get_profile(user: CurrentUser, profiles: Profiles) -> ProfileOut:
    """Return the caller's profile."""
    return ProfileOut.model_validate(profiles.get(user.id))


@router.put("", responses=problems(404))
def put_profile(user: CurrentUser, body: ProfileEdit, profiles: Profiles) -> ProfileOut:
    """Change the caller's profile. Fields left out stay unchanged."""
    return ProfileOut.model_validate(profiles.change(user.id, body.model_dump(exclude_unset=True)))


@router.get("/activity", responses=problems(404))
def activity(user: CurrentUser, request: Request, activities: Activities) -> Activity:
    """Return a summary of the caller's activity. Parts that take over two seconds are `unavailable`."""
    database: Database = request.app.state.database
    # The transaction ends before the other services are asked, so that no connection waits for them.
    with database.transaction() as db:
        timezone = ProfileRepository(db).get(user.id).timezone
    return activities.read(user, timezone)
