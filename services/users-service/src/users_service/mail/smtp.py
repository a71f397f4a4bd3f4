"""Handing a message to a mail server."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

_TIMEOUT_S = 10.0


class MailNotAccepted(RuntimeError):
    """The server is away or refused; the text names neither the recipient nor what was sent."""


@dataclass(frozen=True)
class SmtpServer:
    """`smtps://USER:PASSWORD@HOST` speaks TLS from the start (port 465), `smtp://` after STARTTLS (587).

    Either way the server's certificate is checked. `smtp://HOST:25?tls=none`
    is for a relay on the same machine or network and takes no password,
    which would cross it readable. RFC 8314 says why TLS is not a choice.
    """

    host: str
    port: int
    tls: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Raises ValueError, which never quotes the URL: it holds a password."""
        parts = urlsplit(url)
        tls = _tls(parts)
        if not parts.hostname:
            raise ValueError("SMTP_URL names no host")
        if tls == "none" and parts.password:
            raise ValueError("SMTP_URL must not send a password without TLS")
        return cls(
            parts.hostname,
            parts.port or {"implicit": 465, "starttls": 587, "none": 25}[tls],
            tls,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )

    def hand_over(self, message: EmailMessage) -> None:
        """Raises MailNotAccepted; then the message may be sent again."""
        try:
            with self._connect() as connection:
                if self.tls == "starttls":
                    connection.starttls(context=ssl.create_default_context())
                if self.username is not None:
                    connection.login(self.username, self.password or "")
                connection.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            raise MailNotAccepted(type(error).__name__) from None

    def _connect(self) -> smtplib.SMTP:
        if self.tls == "implicit":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_S, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)


def _tls(parts: SplitResult) -> str:
    wanted = parse_qs(parts.query).get("tls", ["starttls"])[-1]
    if parts.scheme == "smtps" and not parts.query:
        return "implicit"
    if parts.scheme == "smtp" and wanted in ("starttls", "none"):
        return wanted
    raise ValueError("SMTP_URL must be smtps://…, smtp://… or smtp://…?tls=none")
