"""What users-service reads from its environment."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from cogniflow_kit.settings import ServiceSettings
from users_service.mail.smtp import SmtpServer

DemoPassword = Annotated[SecretStr, Field(min_length=10, max_length=128)]


class Settings(ServiceSettings):
    """What the service and its worker need.

    `*_client_secret`: the credentials of every service that may ask for a token.
    `smtp_url`: see SmtpServer; empty: there is no mail server.
    `erasure_ledger`: the file that remembers erasures, kept outside the databases and their backups.
    """

    service: ClassVar[str] = "users-service"
    schema_name: ClassVar[str] = "users"

    key_encryption_secret: SecretStr
    users_client_secret: SecretStr
    courses_client_secret: SecretStr
    chat_client_secret: SecretStr
    analytics_client_secret: SecretStr
    demo_learner_password: DemoPassword | None = None
    demo_instructor_password: DemoPassword | None = None
    demo_admin_password: DemoPassword | None = None
    erasure_ledger: Path
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = ""

    @property
    def smtp_server(self) -> SmtpServer | None:
        """Where mails are handed over; None: nowhere, an admin reads them."""
        url = self.smtp_url.get_secret_value()
        return SmtpServer.from_url(url) if url else None

    @model_validator(mode="after")
    def _refuse_half_a_mail_server(self) -> Self:
        if self.smtp_server is not None and "@" not in self.mail_from:
            raise ValueError("SMTP_URL is set, so MAIL_FROM must be the address that mails come from")
        return self

    @model_validator(mode="after")
    def _refuse_half_a_login_provider(self) -> Self:
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret.get_secret_value())
        if any(given) and not all(given):
            raise ValueError("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together")
        return self

    def client_secret(self, service: str) -> SecretStr:
        """The secret of `users-service` and so on."""
        return {
            "users-service": self.users_client_secret,
            "courses-service": self.courses_client_secret,
            "chat-service": self.chat_client_secret,
            "analytics-service": self.analytics_client_secret,
        }[service]
