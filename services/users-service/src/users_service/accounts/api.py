"""Routes of accounts: opening one, and reading them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser, Role
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.idempotency import AnyoneOnce
from cogniflow_kit.user_route import UserRoute
from users_service.accounts.schemas import Registration, SearchText, UserOut
from users_service.accounts.service import own_account
from users_service.dependencies import AccountsService, Instructor

router = APIRouter(tags=["accounts"])
own_router = APIRouter(tags=["accounts"], route_class=UserRoute)


@router.post("/api/auth/register", status_code=201, responses=problems(409))
def register(body: Registration, accounts: AccountsService, once: AnyoneOnce) -> UserOut:
    """Open an account as a student; a mail asks to confirm the address."""
    return once.keep(UserOut.model_validate(accounts.register(body)))


@own_router.get("/api/users/me", response_model=UserOut, responses=problems(404))
async def me(request: Request, user: CurrentUser) -> Response:
    """The caller's own account."""
    account = await own_account(request.app.state.database, user.id)
    return Response(account, media_type="application/json")


@router.get("/api/users/")
def list_users(
    _: Instructor,
    accounts: AccountsService,
    page: Annotated[PageRequest, Depends()],
    search: SearchText | None = None,
    role: Role | None = None,
) -> Page[UserOut]:
    """Everyone, or those with this role, or `search` in username, e-mail address or full name."""
    users, next_cursor = page.slice(accounts.page(page.after, page.limit, search, role))
    return Page(items=[UserOut.model_validate(user) for user in users], next_cursor=next_cursor)
