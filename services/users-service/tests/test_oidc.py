"""Login at an external provider, which is an HTTP server of the tests that may misbehave."""

import base64
import hashlib
import hmac
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr, ValidationError
from sqlalchemy import select, update

from cogniflow_dev.testing.servers import json_server
from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from cogniflow_kit.verification import VerificationFeed
from users_service.app import create_app
from users_service.settings import Settings
from users_service.tables import ExternalIdentity, ExternalLogin, SecurityEvent, User

sys.path.insert(0, str(Path(__file__).parent / "support"))

from fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider

CALLBACK = "/api/auth/oidc/callback"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()
    with json_server(provider.answer) as provider.url:
        yield provider


@pytest.fixture
def configured(settings: Settings, provider: FakeProvider) -> Settings:
    changes = {"oidc_issuer": provider.url, "oidc_client_id": CLIENT_ID, "oidc_name": "Campus"}
    return settings.model_copy(update={**changes, "oidc_client_secret": SecretStr(CLIENT_SECRET)})


class FreshFeed(VerificationFeed):
    def start(self) -> None:
        self.refresh()

    async def pem(self, kid: str) -> str | None:
        self.refresh()
        return await super().pem(kid)


@pytest.fixture
def browser(configured: Settings, database: Database) -> Iterator[TestClient]:
    app = create_app(configured, database=database, feed=FreshFeed)
    with TestClient(app, base_url="http://cogniflow.test", follow_redirects=False) as client:
        yield client


@pytest.fixture
def log_in_there(browser: TestClient, provider: FakeProvider) -> Callable[..., httpx.Response]:
    """Log in through the provider; `changes` alter the parameters of the callback."""

    def go(**changes: str | None) -> httpx.Response:
        start = browser.get("/api/auth/oidc/start")
        assert start.status_code == 302, start.text
        brought = provider.authorize(start.headers["Location"]) | changes
        return browser.get(CALLBACK, params={name: value for name, value in brought.items() if value})

    return go


def events(database: Database) -> list[tuple[str, dict[str, Any]]]:
    with database.transaction() as db:
        rows = db.scalars(select(SecurityEvent).order_by(SecurityEvent.id))
        return [(row.type, row.data) for row in rows]


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# -- refusals


@pytest.mark.parametrize("path", ["/api/auth/oidc/start", CALLBACK])
def test_without_a_provider_the_routes_are_not_found(client, path):
    assert refused(client.get(path)) == (404, "external_login_off")


@pytest.mark.parametrize("given", ["oidc_issuer", "oidc_client_id", "oidc_client_secret"])
def test_an_incomplete_provider_configuration_is_refused(settings, given):
    values = {**settings.model_dump(), given: "something"}
    with pytest.raises(ValidationError, match="belong together"):
        Settings(**values)


def test_another_browser_can_not_finish_the_login(browser, provider):
    brought = provider.authorize(browser.get("/api/auth/oidc/start").headers["Location"])
    browser.cookies.clear()
    assert refused(browser.get(CALLBACK, params=brought)) == (401, "external_login_failed")


def test_a_state_works_once(browser, provider, log_in_there):
    start = browser.get("/api/auth/oidc/start")
    brought = provider.authorize(start.headers["Location"])
    cookie = {"Cookie": start.headers["Set-Cookie"].partition(";")[0]}
    assert browser.get(CALLBACK, params=brought, headers=cookie).status_code == 200
    again = provider.authorize(start.headers["Location"])
    assert refused(browser.get(CALLBACK, params=again, headers=cookie)) == (401, "external_login_failed")


@pytest.mark.parametrize("state", ["A" * 43, None, "x" * 4000])
def test_an_unknown_state_is_refused(log_in_there, state):
    assert refused(log_in_there(state=state)) == (401, "external_login_failed")


def test_a_state_expires(browser, provider, database):
    brought = provider.authorize(browser.get("/api/auth/oidc/start").headers["Location"])
    with database.transaction() as db:
        db.execute(update(ExternalLogin).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert refused(browser.get(CALLBACK, params=brought)) == (401, "external_login_failed")


@pytest.mark.parametrize(
    "brought", [{"error": "access_denied", "code": None}, {"code": None}, {"iss": "http://another.test"}]
)
def test_an_error_of_the_provider_refuses_the_login(log_in_there, database, brought):
    assert refused(log_in_there(**brought)) == (401, "external_login_failed")
    with database.transaction() as db:
        assert db.scalars(select(ExternalLogin)).all() == []


def test_a_code_refused_by_the_provider_refuses_the_login(log_in_there, provider):
    provider.token_status = 400
    assert refused(log_in_there()) == (401, "external_login_failed")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client", "third"]},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        {"aud": None},
        {"azp": "another-client"},
        {"iss": "http://another.test"},
        {"iss": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "never"},
        {"iat": 10_000_000_000},
        {"iat": None},
        {"nbf": 10_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"sub": "s" * 256},
        {"at_hash": "of another access token"},
    ],
    ids=str,
)
def test_an_id_token_with_wrong_claims_is_refused(log_in_there, provider, database, claims):
    provider.claims = claims
    assert refused(log_in_there()) == (401, "external_login_failed")
    assert ("login_failed", {"provider": provider.url, "reason": "external_login_failed"}) in events(database)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_an_unsigned_id_token_is_refused(log_in_there, provider, alg):
    header = base64.urlsafe_b64encode(f'{{"alg":"{alg}"}}'.encode()).decode().rstrip("=")
    provider.forge = lambda honest: f"{header}.{honest.split('.')[1]}."
    assert refused(log_in_there()) == (401, "external_login_failed")


def _hmac_signed(id_token: str, secret: bytes) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"first"}').decode().rstrip("=")
    text = f"{header}.{id_token.split('.')[1]}"
    signature = base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).decode().rstrip("=")
    return f"{text}.{signature}"


@pytest.mark.parametrize("secret", [CLIENT_SECRET, "public key"])
def test_an_id_token_signed_with_a_shared_secret_is_refused(log_in_there, provider, secret):
    """HS256 is refused even though the provider's metadata lists it."""
    known = provider.key.as_pem(private=False) if secret == "public key" else secret.encode()
    provider.forge = lambda honest: _hmac_signed(honest, known)
    assert refused(log_in_there()) == (401, "external_login_failed")


def test_an_id_token_signed_with_another_key_is_refused(log_in_there, provider):
    provider.published = [provider.key]
    provider.key = RSAKey.generate_key(2048, {"kid": "first"})
    assert refused(log_in_there()) == (401, "external_login_failed")


@pytest.mark.parametrize("id_token", ["", "a.b.c", "..", "no token"])
def test_a_malformed_id_token_is_refused(log_in_there, provider, id_token):
    provider.forge = lambda _: id_token
    assert refused(log_in_there()) == (401, "external_login_failed")


def test_an_unreachable_provider_gives_503(browser, provider, log_in_there):
    provider.away = True
    start = browser.get("/api/auth/oidc/start")
    assert refused(start) == (503, "service_unavailable")
    assert "Campus" in start.json()["detail"]
    provider.away = False
    brought = provider.authorize(browser.get("/api/auth/oidc/start").headers["Location"])
    provider.away = True
    assert refused(browser.get(CALLBACK, params=brought)) == (503, "service_unavailable")


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "http://another.test"}, {"token_endpoint": None}, {"jwks_uri": "not an address"}],
    ids=str,
)
def test_an_invalid_discovery_document_gives_503(browser, provider, metadata):
    provider.metadata = metadata
    assert refused(browser.get("/api/auth/oidc/start")) == (503, "service_unavailable")


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": "no address"},
    ],
    ids=str,
)
def test_an_unverified_address_opens_no_account(log_in_there, provider, database, claims):
    provider.claims = claims
    assert refused(log_in_there()) == (403, "external_email_not_verified")
    with database.transaction() as db:
        assert db.scalars(select(User)).all() == []


def test_an_account_whose_address_was_never_verified_is_not_linked(log_in_there, make_user, database):
    """An attacker may have opened it with the victim's address."""
    make_user("maja", email="maja@example.org")
    assert refused(log_in_there()) == (409, "account_email_not_verified")
    with database.transaction() as db:
        assert db.scalars(select(ExternalIdentity)).all() == []


@pytest.mark.parametrize("closed", ["locked_at", "is_active"])
@pytest.mark.parametrize("linked", [True, False])
def test_a_locked_or_deactivated_account_is_refused(log_in_there, make_user, database, closed, linked):
    user = make_user("maja", email="maja@example.org", email_verified_at=utc_now())
    if linked:
        assert log_in_there().status_code == 200
    with database.transaction() as db:
        value = utc_now() if closed == "locked_at" else False
        db.execute(update(User).where(User.id == user.id).values({closed: value}))
    assert refused(log_in_there()) == (403, "external_login_refused")


# -- what works


def test_the_redirect_contains_no_secret(browser, database):
    start = browser.get("/api/auth/oidc/start")
    asked = dict(parse_qsl(urlsplit(start.headers["Location"]).query))
    assert asked["scope"] == "openid profile email"
    assert asked["redirect_uri"] == "http://cogniflow.test/api/auth/oidc/callback"
    cookie = start.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/api/auth/oidc", "Max-Age=600"))
    with database.transaction() as db:
        kept = db.scalars(select(ExternalLogin)).one()
    assert asked["state"] not in str(vars(kept))
    assert kept.state_hash == hashlib.sha256(asked["state"].encode()).hexdigest()
    assert kept.encrypted_code_verifier.startswith("gAAAA")
    assert timedelta(minutes=9) < kept.expires_at - utc_now() <= timedelta(minutes=10)


def test_with_https_the_cookie_is_secure(configured, database):
    settings = configured.model_copy(update={"public_url": "https://cogniflow.test"})
    app = create_app(settings, database=database, feed=FreshFeed)
    with TestClient(app, follow_redirects=False) as client:
        assert "Secure" in client.get("/api/auth/oidc/start").headers["Set-Cookie"]


def test_a_new_user_gets_an_account(browser, log_in_there, provider, database):
    answer = log_in_there()
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = browser.get("/api/users/me", headers=headers).json()
    assert (me["username"], me["email"], me["full_name"]) == ("maja", "Maja@Example.org", "Maja Novak")
    assert me["role"] == "student"
    refresh = browser.post("/api/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]})
    assert refresh.status_code == 200
    kinds = [kind for kind, _ in events(database)]
    assert kinds == ["registered", "external_identity_linked", "external_login"]
    with database.transaction() as db:
        assert db.scalars(select(User.email_verified_at)).one() is not None


def test_a_second_login_uses_the_same_account(log_in_there, provider, database):
    assert log_in_there().status_code == 200
    provider.claims = {"email": "moved@example.org", "email_verified": False}
    assert log_in_there().status_code == 200
    with database.transaction() as db:
        assert db.scalars(select(User.email)).all() == ["Maja@Example.org"]


def test_a_verified_account_with_the_same_address_is_linked(log_in_there, make_user, database, provider):
    user = make_user("known", email="maja@example.org", email_verified_at=utc_now())
    assert log_in_there().status_code == 200
    with database.transaction() as db:
        linked = db.scalars(select(ExternalIdentity)).one()
    assert (linked.issuer, linked.subject, linked.user_id) == (provider.url, "subject-1", user.id)
    assert [kind for kind, _ in events(database)] == ["external_identity_linked", "external_login"]


def test_another_subject_with_the_same_username_gets_another_name(
    log_in_there, make_user, provider, database
):
    make_user("maja", email="another@example.org")
    provider.claims = {"name": None}
    assert log_in_there().status_code == 200
    with database.transaction() as db:
        names = sorted(db.scalars(select(User.username)))
    assert names[0] == "maja"
    assert names[1].startswith("maja-")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("Čeh Ö.", "eh-."),
        ("../../etc", "etc"),
        ("<script>", "script"),
        (None, "Maja"),
        ("me@home", "me-home"),
    ],
)
def test_an_invalid_username_is_adapted(log_in_there, provider, database, wanted, given):
    provider.claims = {"preferred_username": wanted}
    assert log_in_there().status_code == 200
    with database.transaction() as db:
        assert db.scalars(select(User.username)).one().startswith(given.rstrip("-."))


def test_a_new_key_of_the_provider_is_fetched(log_in_there, provider):
    assert log_in_there().status_code == 200
    provider.key, provider.alg = ECKey.generate_key("P-256", {"kid": "second"}), "ES256"
    assert log_in_there().status_code == 200


def test_an_account_opened_by_the_provider_has_a_random_password(log_in_there, browser):
    assert log_in_there().status_code == 200
    for guess in ("", "!", "maja"):
        form = {"username": "maja", "password": guess or " "}
        assert browser.post("/api/auth/token", data=form).status_code == 401
