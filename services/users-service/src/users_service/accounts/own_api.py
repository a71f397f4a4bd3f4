"""Routes for one's own account: address, password, leaving."""

from fastapi import APIRouter

from cogniflow_kit.errors import problems
from cogniflow_kit.identity import CurrentUser
from users_service.accounts.schemas import (
    Accepted,
    Deactivation,
    EmailChange,
    ForgottenPassword,
    PasswordChange,
    PasswordReset,
    TokenBody,
)
from users_service.dependencies import (
    AdministrationService,
    JobQueue,
    MailboxService,
    PasswordConfirmation,
    PasswordService,
)

router = APIRouter(tags=["own account"])


@router.post("/api/auth/verify-email", status_code=204, responses=problems(409))
def verify_email(body: TokenBody, mailboxes: MailboxService) -> None:
    """Confirm an address, new or first, with the token of the link that was mailed there."""
    mailboxes.verify(body.token)


@router.post("/api/auth/verify-email/request", status_code=202, responses=problems(404, 409, 429))
def request_verification(user: CurrentUser, mailboxes: MailboxService) -> Accepted:
    """Mail the link again."""
    mailboxes.request_verification(user.id)
    return Accepted(detail="A mail with a link is on its way.")


@router.post("/api/auth/password/forgot", status_code=202, responses=problems(429))
def forgot_password(body: ForgottenPassword, passwords: PasswordService, jobs: JobQueue) -> Accepted:
    """Have a link mailed, if an account has this address; the answer doesn't tell."""
    passwords.forgot(body.email, jobs)
    return Accepted(detail="If an account has this address, a mail with a link is on its way.")


@router.post("/api/auth/password/reset", status_code=204)
def reset_password(body: PasswordReset, passwords: PasswordService) -> None:
    """Choose a new password with the token of the link; every login ends."""
    passwords.reset(body.token, body.password)


@router.post("/api/auth/password/change", status_code=204, responses=problems(404, 429))
def change_password(body: PasswordChange, user: CurrentUser, passwords: PasswordService) -> None:
    """Choose a new password with the present one; every other login ends."""
    passwords.change(user.id, user.session_id, body.current_password, body.new_password)


@router.post("/api/users/me/email", status_code=202, responses=problems(404, 409, 429))
def change_email(body: EmailChange, user: CurrentUser, mailboxes: MailboxService) -> Accepted:
    """Mail a link to the new address, which counts once it is followed; the old one is told."""
    mailboxes.request_change(user.id, body.email, body.password)
    return Accepted(detail="A mail with a link is on its way to the new address.")


@router.post("/api/users/me/deactivate", status_code=204, responses=problems(404, 409, 429))
def deactivate(
    body: Deactivation,
    user: CurrentUser,
    administration: AdministrationService,
    confirmation: PasswordConfirmation,
) -> None:
    """Leave: every login ends and none begins until an admin unlocks the account. Nothing is erased."""
    administration.deactivate(user.id, body.password, confirmation)
