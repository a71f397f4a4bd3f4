"""Routes of accounts: register and read, administration, and one's own account."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser, Role
from cogniflow_kit.json_response import json_response
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.database import DatabaseSession
from cogniflow_kit.sql.idempotency import AnonymousIdempotency, UserIdempotency
from cogniflow_kit.user_route import UserRoute
from users_service.accounts.dependencies import (
    AccountsService,
    AdministrationService,
    ConfirmationService,
    EmailAddressService,
    PasswordService,
)
from users_service.accounts.schemas import (
    Accepted,
    Deactivation,
    EmailChange,
    ForgottenPassword,
    NewUser,
    PasswordChange,
    PasswordReset,
    Registration,
    RoleChange,
    SearchText,
    TokenBody,
    UserOut,
)
from users_service.accounts.service import own_account
from users_service.audit.dependencies import Admin, Instructor
from users_service.dependencies import JobQueue

router = APIRouter(tags=["accounts"])
me_router = APIRouter(tags=["accounts"], route_class=UserRoute)
own_router = APIRouter(tags=["own account"])


@router.post("/api/auth/register", status_code=201, responses=problems(409))
def register(body: Registration, accounts: AccountsService, idempotency: AnonymousIdempotency) -> UserOut:
    """Open a student's account. A mailed link confirms the address."""
    return idempotency.store(UserOut.model_validate(accounts.register(body)))


@me_router.get("/api/users/me", response_model=UserOut, responses=problems(404))
async def me(request: Request, user: CurrentUser) -> Response:
    """Return the caller's account."""
    account = await own_account(request.app.state.database, user.id)
    return json_response(account)


@router.get("/api/users/")
def list_users(
    _: Instructor,
    accounts: AccountsService,
    page: Annotated[PageRequest, Depends()],
    search: SearchText | None = None,
    role: Role | None = None,
) -> Page[UserOut]:
    """List users. `search`: part of a username, e-mail address or full name."""
    users, next_cursor = page.slice(accounts.page(page.after, page.limit, search, role))
    return Page(items=[UserOut.model_validate(user) for user in users], next_cursor=next_cursor)


@router.post("/api/users/", status_code=201, responses={200: {"model": UserOut}, **problems(409)})
def create_user(
    body: NewUser,
    admin: Admin,
    administration: AdministrationService,
    idempotency: UserIdempotency,
    db: DatabaseSession,
    response: Response,
    dry_run: bool = False,
) -> UserOut:
    """Open an account for somebody else. Without a password, a mailed link lets them choose one.

    `dry_run`: respond 200 with the account that would be created, or with the error; change nothing.
    """
    account = UserOut.model_validate(administration.create(admin.id, body))
    if dry_run:
        db.rollback()
        response.status_code = 200
        return account
    return idempotency.store(account)


@router.get("/api/users/{user_id}", responses=problems(404))
def read_user(user_id: UUID, _: Admin, accounts: AccountsService) -> UserOut:
    """Return any user's account."""
    return UserOut.model_validate(accounts.get(user_id))


@router.put("/api/users/{user_id}/role", responses=problems(404, 409))
def change_role(
    user_id: UUID, body: RoleChange, admin: Admin, administration: AdministrationService
) -> UserOut:
    """Change a user's role. Access tokens with the old role stop working; login sessions go on."""
    return UserOut.model_validate(administration.change_role(admin.id, user_id, body.role))


@router.post("/api/users/{user_id}/lock", responses=problems(404, 409))
def lock(user_id: UUID, admin: Admin, administration: AdministrationService) -> UserOut:
    """Lock an account: end its login sessions and refuse new ones."""
    return UserOut.model_validate(administration.lock(admin.id, user_id))


@router.post("/api/users/{user_id}/unlock", responses=problems(404))
def unlock(user_id: UUID, admin: Admin, administration: AdministrationService) -> UserOut:
    """Let a locked or deactivated user log in again."""
    return UserOut.model_validate(administration.unlock(admin.id, user_id))


@own_router.post("/api/auth/verify-email", status_code=204, responses=problems(409))
def verify_email(body: TokenBody, email_addresses: EmailAddressService) -> None:
    """Confirm a first or a new address with the token of the mailed link."""
    email_addresses.verify(body.token)


@own_router.post("/api/auth/verify-email/request", status_code=202, responses=problems(404, 409, 429))
def request_verification(user: CurrentUser, email_addresses: EmailAddressService) -> Accepted:
    """Mail the link that confirms the caller's address again."""
    email_addresses.request_verification(user.id)
    return Accepted(detail="A mail with a link is on its way.")


@own_router.post("/api/auth/password/forgot", status_code=202, responses=problems(429))
def forgot_password(body: ForgottenPassword, passwords: PasswordService, jobs: JobQueue) -> Accepted:
    """Mail a reset link if an account has this address. The response doesn't tell whether one has."""
    passwords.forgot(body.email, jobs)
    return Accepted(detail="If an account has this address, a mail with a link is on its way.")


@own_router.post("/api/auth/password/reset", status_code=204)
def reset_password(body: PasswordReset, passwords: PasswordService) -> None:
    """Set a new password with the token of the mailed link, and end all login sessions."""
    passwords.reset(body.token, body.password)


@own_router.post("/api/auth/password/change", status_code=204, responses=problems(404, 429))
def change_password(body: PasswordChange, user: CurrentUser, passwords: PasswordService) -> None:
    """Set a new password with the current one, and end all other login sessions."""
    passwords.change(user.id, user.session_id, body.current_password, body.new_password)


@own_router.post("/api/users/me/email", status_code=202, responses=problems(404, 409, 429))
def change_email(body: EmailChange, user: CurrentUser, email_addresses: EmailAddressService) -> Accepted:
    """Mail a link to the new address, which becomes the account's once confirmed; notify the old one."""
    email_addresses.request_change(user.id, body.email, body.password)
    return Accepted(detail="A mail with a link is on its way to the new address.")


@own_router.post("/api/users/me/deactivate", status_code=204, responses=problems(404, 409, 429))
def deactivate(
    body: Deactivation,
    user: CurrentUser,
    administration: AdministrationService,
    confirmation: ConfirmationService,
) -> None:
    """Deactivate the caller's account until an admin unlocks it. No data is erased."""
    administration.deactivate(user.id, body.password, confirmation)
