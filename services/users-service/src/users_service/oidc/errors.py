"""Refusals of external logins."""

from cogniflow_kit.errors import Conflict, Forbidden, NotFound, Unauthorized


class ExternalLoginOff(NotFound):
    code = "external_login_off"


class ExternalLoginFailed(Unauthorized):
    """The provider didn't vouch for anybody, or not in a way that can be believed."""

    code = "external_login_failed"


class ExternalLoginRefused(Forbidden):
    """The provider vouched for somebody who may not log in here."""

    code = "external_login_refused"


class ExternalEmailNotVerified(Forbidden):
    code = "external_email_not_verified"


class AccountEmailNotVerified(Conflict):
    """Whoever opened that account may not be who reads the mailbox."""

    code = "account_email_not_verified"
