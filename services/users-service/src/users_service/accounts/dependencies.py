"""Builds the account services of a request."""

from typing import Annotated

from fastapi import Depends

from cogniflow_kit.sql.database import DatabaseSession
from users_service.accounts.email_addresses import EmailAddresses
from users_service.accounts.passwords import PasswordConfirmation, Passwords
from users_service.accounts.service import Accounts, Administration
from users_service.audit.dependencies import RequestAuditLog, RequestOrigin
from users_service.mail.dependencies import OutgoingMails


async def get_email_addresses(
    db: DatabaseSession, audit: RequestAuditLog, mails: OutgoingMails, origin: RequestOrigin
) -> EmailAddresses:
    return EmailAddresses(db, audit, mails, origin)


EmailAddressService = Annotated[EmailAddresses, Depends(get_email_addresses)]


async def get_accounts(
    db: DatabaseSession, audit: RequestAuditLog, email_addresses: EmailAddressService
) -> Accounts:
    return Accounts(db, audit, email_addresses)


async def get_administration(
    db: DatabaseSession, audit: RequestAuditLog, mails: OutgoingMails, email_addresses: EmailAddressService
) -> Administration:
    return Administration(db, audit, mails, email_addresses)


async def get_passwords(
    db: DatabaseSession, audit: RequestAuditLog, mails: OutgoingMails, origin: RequestOrigin
) -> Passwords:
    return Passwords(db, audit, mails, origin)


async def get_password_confirmation(
    db: DatabaseSession, audit: RequestAuditLog, origin: RequestOrigin
) -> PasswordConfirmation:
    return PasswordConfirmation(db, audit, origin.address)


AccountsService = Annotated[Accounts, Depends(get_accounts)]
AdministrationService = Annotated[Administration, Depends(get_administration)]
PasswordService = Annotated[Passwords, Depends(get_passwords)]
ConfirmationService = Annotated[PasswordConfirmation, Depends(get_password_confirmation)]
