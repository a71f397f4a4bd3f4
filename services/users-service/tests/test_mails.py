"""Mails: sent over TLS by the worker or read by admins, and never logged."""

import socketserver
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.message import EmailMessage, Message
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError
from sqlalchemy import select, text, update

from cogniflow_kit.ids import utc_now
from users_service.mail.delivery import RESEND_JOB, MailNotAccepted, submit
from users_service.settings import SmtpServer
from users_service.tables import Mail
from users_service.worker import delete_expired

EVA = {
    "username": "eva",
    "email": "eva@example.org",
    "full_name": "Eva Lund",
    "password": "quiet morning walk",
}


class Conversation(socketserver.StreamRequestHandler):
    """The SMTP (RFC 5321) that a client needs to send one message."""

    server: "SmtpStub"
    timeout = 5

    def handle(self) -> None:
        secure = self.server.implicit
        if secure:
            self._secure()
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            self.server.lines.append(line)
            command = line.split()[0].upper()
            if command == "EHLO":
                self._say("250-stub", "250 AUTH PLAIN" if secure else "250 STARTTLS")
            elif command == "STARTTLS":
                self._say("220 go on")
                self._secure()
                secure = True
            elif command == "RCPT" and self.server.refusing:
                self._say("550 no such mailbox eva@example.org")
            elif command == "DATA":
                self._say("354 go on")
                self.server.messages.append(self._message())
                self._say("250 taken")
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("235 welcome" if command == "AUTH" else "250 fine")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _secure(self) -> None:
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.setup_streams()

    def setup_streams(self) -> None:
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def _message(self) -> Message:
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line.removeprefix("."))
        return message_from_string("".join(lines))


class SmtpStub(socketserver.ThreadingTCPServer):
    daemon_threads = True
    implicit = False
    refusing = False

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.tls = tls
        self.lines: list[str] = []
        self.messages: list[Message] = []

    def handle_error(self, *_: object) -> None:
        """Ignore errors: a client that doesn't trust the certificate closes the connection."""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for `localhost`, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def smtp(certificate: Path) -> Iterator[SmtpStub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with SmtpStub(context) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture
def mailing(settings, smtp):
    """Settings with a mail server."""
    url = f"smtp://user:p%40ss@localhost:{smtp.server_address[1]}"
    return type(settings)(**settings.model_dump() | {"smtp_url": url, "mail_from": "cogniflow@example.org"})


@pytest.fixture
def mailing_client(mailing, client_with):
    return client_with(**mailing.model_dump())


def stored(database):
    with database.transaction() as db:
        return db.scalars(select(Mail)).one()


# --- Settings -----------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.org",
        "mail.example.org",
        "smtp://",
        "smtp://mail.example.org?tls=never",
        "smtps://mail.example.org?tls=none",
        "smtp://user:secret-word@mail.example.org?tls=none",
        "smtp://mail.example.org:many",
    ],
)
def test_refuses_unsafe_or_unclear_servers_without_quoting_them(settings, url):
    with pytest.raises(ValidationError) as refusal:
        type(settings)(**settings.model_dump() | {"smtp_url": url, "mail_from": "a@example.org"})
    assert "secret-word" not in str(refusal.value)


def test_refuses_a_server_without_a_sender(settings):
    with pytest.raises(ValidationError, match="MAIL_FROM"):
        type(settings)(**settings.model_dump() | {"smtp_url": "smtps://mail.example.org"})


def test_the_default_port_depends_on_the_scheme():
    found = {url: SmtpServer.from_url(url) for url in ("smtps://h", "smtp://h", "smtp://h?tls=none")}
    assert [server.port for server in found.values()] == [465, 587, 25]


# --- Sending ---------------------------------------------------------------------


def test_a_mail_is_sent_over_tls_with_login_and_its_body_is_deleted(
    mailing_client, mailing, smtp, trusted, run_jobs, database
):
    assert mailing_client.post("/api/auth/register", json=EVA).status_code == 201
    assert "token=" in stored(database).body
    run_jobs(settings=mailing)
    (message,) = smtp.messages
    assert (message["To"], message["From"]) == ("eva@example.org", "cogniflow@example.org")
    assert "/api/auth/links/verify-email?token=" in message.get_payload(decode=True).decode()
    assert [line.split()[0] for line in smtp.lines[:4]] == ["ehlo", "STARTTLS", "ehlo", "AUTH"]
    assert stored(database).body == ""
    assert stored(database).sent_at is not None
    with database.transaction() as db:
        db.execute(text("UPDATE jobs SET status = 'queued'"))
    run_jobs(settings=mailing)
    assert len(smtp.messages) == 1, "a repeated job sends nothing twice"


def test_implicit_tls(mailing, smtp, trusted):
    smtp.implicit = True
    server = SmtpServer.from_url(f"smtps://user:pw@localhost:{smtp.server_address[1]}")
    message = message_with_body("hello")
    submit(server, message)
    assert len(smtp.messages) == 1


def test_nothing_is_sent_to_a_server_whose_certificate_is_not_trusted(
    mailing_client, mailing, smtp, run_jobs, database
):
    mailing_client.post("/api/auth/register", json=EVA)
    run_jobs(settings=mailing)
    assert not smtp.messages
    assert not any(line.startswith("AUTH") for line in smtp.lines)
    assert stored(database).sent_at is None


def test_a_refused_mail_is_retried_and_its_content_never_logged(
    capsys, mailing_client, mailing, smtp, trusted, run_jobs, database
):
    smtp.refusing = True
    mailing_client.post("/api/auth/register", json=EVA)
    run_jobs(settings=mailing)
    assert stored(database).sent_at is None
    logged = "".join(capsys.readouterr())
    assert "MailNotAccepted" in logged
    assert not any(secret in logged for secret in ("eva@example.org", "token=", "p@ss"))
    smtp.refusing = False
    with database.transaction() as db:
        db.execute(update(Mail).values(created_at=utc_now() - timedelta(minutes=16)))
        db.execute(text("UPDATE jobs SET status = 'failed'"))
        add = text("INSERT INTO jobs (id, name, arguments) VALUES (gen_random_uuid(), :name, '{}')")
        db.execute(add, {"name": RESEND_JOB})
    run_jobs(settings=mailing)
    assert len(smtp.messages) == 1


def test_an_unreachable_server_is_reported_without_details(mailing):
    server = SmtpServer.from_url("smtp://user:secret-word@127.0.0.1:9")
    with pytest.raises(MailNotAccepted) as refusal:
        submit(server, message_with_body("secret text"))
    assert str(refusal.value) == "ConnectionRefusedError"


def test_a_name_can_not_inject_mail_headers(mailing_client, mailing, smtp, trusted, run_jobs, database):
    name = "Eva\r\nBcc: all@example.org"
    mailing_client.post("/api/auth/register", json={**EVA, "full_name": name})
    run_jobs(settings=mailing)
    (message,) = smtp.messages
    assert message["Bcc"] is None
    recipients = [line for line in smtp.lines if line.upper().startswith("RCPT")]
    assert len(recipients) == 1


def message_with_body(body):
    message = EmailMessage()
    message["From"], message["To"] = "a@example.org", "b@example.org"
    message.set_content(body)
    return message


# --- Without a mail server ----------------------------------------------------------


@pytest.mark.parametrize("role", ["student", "instructor", "researcher"])
def test_only_admins_read_mails(client, headers_of, role):
    assert client.get("/api/admin/mails").status_code == 401
    assert client.get("/api/admin/mails", headers=headers_of(role)).status_code == 403


def test_admins_read_mails_newest_first_and_reading_is_recorded(client, headers_of):
    admin = headers_of("admin")
    for n in range(3):
        person = {**EVA, "username": f"eva{n}", "email": f"eva{n}@example.org"}
        client.post("/api/auth/register", json=person)
    first = client.get("/api/admin/mails", headers=admin, params={"limit": 2}).json()
    rest = client.get("/api/admin/mails", headers=admin, params={"cursor": first["next_cursor"]}).json()
    found = [mail["recipient"] for mail in first["items"] + rest["items"]]
    assert found == [f"eva{n}@example.org" for n in (2, 1, 0)]
    assert "token=" in first["items"][0]["body"]
    events = client.get("/api/admin/security-events", headers=admin, params={"type": "mails_read"}).json()
    assert len(events["items"]) == 2


def test_with_a_mail_server_admins_see_no_bodies(mailing_client, client, headers_of):
    mailing_client.post("/api/auth/register", json=EVA)
    (mail,) = mailing_client.get("/api/admin/mails", headers=headers_of("admin")).json()["items"]
    assert (mail["recipient"], mail["body"]) == ("eva@example.org", "")


def test_the_log_has_the_mail_id_and_the_page_and_no_content(client, database, caplog):
    client.post("/api/auth/register", json=EVA)
    (line,) = [record.msg for record in caplog.records if "mail_id" in record.msg]
    assert line["mail_id"] == str(stored(database).id)
    assert line["page"].endswith("/api/admin/outbox")
    assert not any(secret in caplog.text for secret in ("token=", "eva@example.org", "Eva Lund"))


def test_expired_mails_are_deleted(client, database):
    client.post("/api/auth/register", json=EVA)
    delete_expired(database)
    assert stored(database)
    with database.transaction() as db:
        db.execute(update(Mail).values(expires_at=utc_now() - timedelta(seconds=1)))
    delete_expired(database)
    with database.transaction() as db:
        assert db.scalars(select(Mail)).first() is None
