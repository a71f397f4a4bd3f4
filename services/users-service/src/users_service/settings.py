"""Settings of users-service, read from the environment."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, model_validator

from cogniflow_kit.settings import ServiceSettings

DemoPassword = Annotated[SecretStr, Field(min_length=10, max_length=128)]
Tls = Literal["implicit", "starttls", "none"]
_DEFAULT_PORTS: dict[Tls, int] = {"implicit": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True)
class SmtpServer:
    """A mail server that accepts outgoing mail.

    `smtps://USER:PASSWORD@HOST` uses TLS from the start (port 465), `smtp://`
    uses STARTTLS (port 587). Both check the server's certificate.
    `smtp://HOST:25?tls=none` is for a relay on the same machine or network and
    takes no password, because it would be sent unencrypted (RFC 8314).
    """

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Raises: ValueError (without the URL, which contains a password)."""
        parts = urlsplit(url)
        tls = _tls(parts)
        if not parts.hostname:
            raise ValueError("SMTP_URL names no host")
        if tls == "none" and parts.password:
            raise ValueError("SMTP_URL must not send a password without TLS")
        return cls(
            parts.hostname,
            parts.port or _DEFAULT_PORTS[tls],
            tls,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


def _tls(parts: SplitResult) -> Tls:
    wanted = parse_qs(parts.query).get("tls", ["starttls"])[-1]
    if parts.scheme == "smtps" and not parts.query:
        return "implicit"
    if parts.scheme == "smtp" and wanted == "starttls":
        return "starttls"
    if parts.scheme == "smtp" and wanted == "none":
        return "none"
    raise ValueError("SMTP_URL must be smtps://…, smtp://… or smtp://…?tls=none")


class Settings(ServiceSettings):
    """Settings of the service and its worker.

    `key_encryption_secret` encrypts the signing keys in the database.
    `*_client_secret`: the credentials of each service that may ask for a service token.
    `erasure_ledger`: the file that lists erasures; keep it outside the databases and their backups.
    `smtp_url`: see SmtpServer; empty if there is no mail server.
    `oidc_*`: the external login provider; empty if there is none.
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
        """None if there is no mail server; then admins read the mails and pass the links on."""
        url = self.smtp_url.get_secret_value()
        return SmtpServer.from_url(url) if url else None

    @model_validator(mode="after")
    def _require_sender_of_mails(self) -> Self:
        if self.smtp_server is not None and "@" not in self.mail_from:
            raise ValueError("SMTP_URL is set, so MAIL_FROM must be the address that mails come from")
        return self

    @model_validator(mode="after")
    def _require_complete_provider(self) -> Self:
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret.get_secret_value())
        if any(given) and not all(given):
            raise ValueError("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together")
        return self

    def client_secret(self, service: str) -> SecretStr:
        """Return the secret of a service, such as `courses-service`."""
        return {
            "users-service": self.users_client_secret,
            "courses-service": self.courses_client_secret,
            "chat-service": self.chat_client_secret,
            "analytics-service": self.analytics_client_secret,
        }[service]
