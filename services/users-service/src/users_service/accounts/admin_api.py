"""Routes of admins: opening accounts for others, roles, locks."""

from uuid import UUID

from fastapi import APIRouter, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.sql.idempotency import UserOnce
from users_service.accounts.schemas import NewUser, RoleChange, UserOut
from users_service.dependencies import AccountsService, Admin, AdministrationService

router = APIRouter(tags=["accounts"])


@router.post("/api/users/", status_code=201, responses={200: {"model": UserOut}, **problems(409)})
def create_user(
    body: NewUser,
    admin: Admin,
    administration: AdministrationService,
    once: UserOnce,
    db: DatabaseSession,
    response: Response,
    dry_run: bool = False,
) -> UserOut:
    """Open an account for somebody, who gets a link by mail unless a password is given.

    `dry_run`: answer 200 with the account as it would be, or the refusal, and change nothing.
    """
    account = UserOut.model_validate(administration.create(admin.id, body))
    if dry_run:
        db.rollback()
        response.status_code = 200
        return account
    return once.keep(account)


@router.get("/api/users/{user_id}", responses=problems(404))
def read_user(user_id: UUID, _: Admin, accounts: AccountsService) -> UserOut:
    """Anybody's account."""
    return UserOut.model_validate(accounts.get(user_id))


@router.put("/api/users/{user_id}/role", responses=problems(404, 409))
def change_role(
    user_id: UUID, body: RoleChange, admin: Admin, administration: AdministrationService
) -> UserOut:
    """Give another role; tokens that say the old one stop working, sessions go on."""
    return UserOut.model_validate(administration.change_role(admin.id, user_id, body.role))


@router.post("/api/users/{user_id}/lock", responses=problems(404, 409))
def lock(user_id: UUID, admin: Admin, administration: AdministrationService) -> UserOut:
    """Keep somebody out: every login ends and none begins."""
    return UserOut.model_validate(administration.lock(admin.id, user_id))


@router.post("/api/users/{user_id}/unlock", responses=problems(404))
def unlock(user_id: UUID, admin: Admin, administration: AdministrationService) -> UserOut:
    """Let somebody in again, whether locked or gone by themselves."""
    return UserOut.model_validate(administration.unlock(admin.id, user_id))
