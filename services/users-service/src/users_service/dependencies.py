"""The only place that wires services to the request."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from cogniflow_kit.identity import CurrentUser, Role, User
from cogniflow_kit.jobs import Jobs
from cogniflow_kit.sql.database import DatabaseSession
from users_service.accounts.administration import Administration
from users_service.accounts.confirmation import Confirmation
from users_service.accounts.mailbox import Mailboxes
from users_service.accounts.password import Passwords
from users_service.accounts.service import Accounts
from users_service.audit.trail import EventType, Origin, Trail
from users_service.keys.service import KeyRing
from users_service.login.errors import AccessRefused
from users_service.login.service import Login, TokenIssuer
from users_service.login.service_tokens import ServiceTokens
from users_service.mail.mails import Mails
from users_service.mail.outbox import Outbox
from users_service.settings import Settings


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def get_keys(request: Request) -> KeyRing:
    keys: KeyRing = request.app.state.keys
    return keys


Keys = Annotated[KeyRing, Depends(get_keys)]
CurrentSettings = Annotated[Settings, Depends(get_settings)]


async def get_origin(request: Request) -> Origin:
    address = request.client.host if request.client else ""
    return Origin(address, request.headers.get("user-agent", "")[:200])


RequestOrigin = Annotated[Origin, Depends(get_origin)]


async def get_trail(db: DatabaseSession, origin: RequestOrigin) -> Trail:
    return Trail(db, origin)


SecurityTrail = Annotated[Trail, Depends(get_trail)]


def requires_role(*roles: Role) -> Callable[..., User]:
    """Lets only these roles in, and records whom it refuses."""

    def check(user: CurrentUser, request: Request, trail: SecurityTrail) -> User:
        if user.role not in roles:
            # The route as it was written: the path itself may hold anything.
            route = f"{request.method} {request.scope['route'].path}"
            trail.record(
                EventType.ACCESS_REFUSED,
                user_id=user.id,
                session_id=user.session_id,
                role=user.role,
                route=route,
            )
            raise AccessRefused("Your role doesn't allow this.")
        return user

    return check


Instructor = Annotated[User, Depends(requires_role("instructor", "admin"))]
Admin = Annotated[User, Depends(requires_role("admin"))]


async def get_jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


JobQueue = Annotated[Jobs, Depends(get_jobs)]


async def get_mails(db: DatabaseSession, jobs: JobQueue, settings: CurrentSettings) -> Mails:
    return Mails(db, jobs, settings)


OutgoingMails = Annotated[Mails, Depends(get_mails)]


async def get_outbox(db: DatabaseSession, trail: SecurityTrail, settings: CurrentSettings) -> Outbox:
    return Outbox(db, trail, settings)


MailOutbox = Annotated[Outbox, Depends(get_outbox)]


async def get_mailboxes(
    db: DatabaseSession, trail: SecurityTrail, mails: OutgoingMails, origin: RequestOrigin
) -> Mailboxes:
    return Mailboxes(db, trail, mails, origin)


MailboxService = Annotated[Mailboxes, Depends(get_mailboxes)]


async def get_passwords(
    db: DatabaseSession, trail: SecurityTrail, mails: OutgoingMails, origin: RequestOrigin
) -> Passwords:
    return Passwords(db, trail, mails, origin)


async def get_confirmation(db: DatabaseSession, trail: SecurityTrail, origin: RequestOrigin) -> Confirmation:
    return Confirmation(db, trail, origin.address)


async def get_administration(
    db: DatabaseSession, trail: SecurityTrail, mails: OutgoingMails, mailboxes: MailboxService
) -> Administration:
    return Administration(db, trail, mails, mailboxes)


async def get_accounts(db: DatabaseSession, trail: SecurityTrail, mailboxes: MailboxService) -> Accounts:
    return Accounts(db, trail, mailboxes)


async def get_issuer(request: Request) -> TokenIssuer:
    issuer: TokenIssuer = request.app.state.issuer
    return issuer


Issuer = Annotated[TokenIssuer, Depends(get_issuer)]


async def get_login(db: DatabaseSession, issuer: Issuer, origin: RequestOrigin) -> Login:
    return Login(db, issuer, origin)


async def get_service_tokens(
    db: DatabaseSession, settings: CurrentSettings, keys: Keys, trail: SecurityTrail
) -> ServiceTokens:
    return ServiceTokens(db, settings, keys, trail)


PasswordService = Annotated[Passwords, Depends(get_passwords)]
PasswordConfirmation = Annotated[Confirmation, Depends(get_confirmation)]
AdministrationService = Annotated[Administration, Depends(get_administration)]
AccountsService = Annotated[Accounts, Depends(get_accounts)]
LoginService = Annotated[Login, Depends(get_login)]
ServiceTokenIssuer = Annotated[ServiceTokens, Depends(get_service_tokens)]
