"""The outbox page, which needs an admin's password with every request."""

import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import func, select, update

from cogniflow_kit.ids import utc_now
from users_service import password_hashing
from users_service.login.rate_limits import PER_ACCOUNT, PER_ADDRESS
from users_service.tables import Mail, RefreshToken, User, UserSession

PAGE = "/api/admin/outbox"
PASSWORD = "correct horse battery"
EVA = {
    "username": "eva",
    "email": "eva@example.org",
    "full_name": "Eva Lund",
    "password": "quiet morning walk",
}


class Outline(HTMLParser):
    """Collects the page's tags with their attributes, and the tags that stay open."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "input", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for found, attributes in self.tags if found == tag]


def look(client, username="ada", password=PASSWORD, **more):
    return client.post(PAGE, data={"username": username, "password": password, **more})


def events(client, headers, **wanted):
    return client.get("/api/admin/security-events", headers=headers, params=wanted).json()["items"]


def is_refused(answer, status):
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert "eva@example.org" not in answer.text
    assert "token=" not in answer.text
    return True


@pytest.fixture
def ada(make_user, client):
    client.post("/api/auth/register", json=EVA)
    return make_user("ada", role="admin")


# --- Refusals -------------------------------------------------------------------


def test_without_credentials_the_page_shows_only_a_form(client, ada):
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert "eva" not in answer.text
    assert client.post(PAGE).status_code == 422
    for given in ({"username": "ada"}, {"password": PASSWORD}, {"username": "ada", "password": ""}):
        refused = client.post(PAGE, data=given)
        assert refused.status_code == 422
        assert "eva" not in refused.text


def test_credentials_in_the_query_are_ignored_and_not_repeated(client, ada):
    params = {"username": "ada", "password": PASSWORD}
    for answer in (client.get(PAGE, params=params), client.post(PAGE, params=params)):
        assert "eva" not in answer.text
        assert PASSWORD not in answer.text


def test_a_token_is_not_a_password(client, ada, log_in):
    headers = {"Authorization": f"Bearer {log_in(client, 'ada').json()['access_token']}"}
    assert "eva" not in client.get(PAGE, headers=headers).text
    assert client.post(PAGE, headers=headers).status_code == 422


@pytest.mark.parametrize(
    "more",
    [
        {"username": "a" * 255},
        {"password": "p" * 129},
        {"username": "ada\x00"},
        {"cursor": "A" * 23},
        {"cursor": "<script>"},
        {"role": "admin"},
        {"limit": "1000"},
    ],
)
def test_refuses_fields_that_are_unknown_or_out_of_bounds(client, ada, more):
    answer = client.post(PAGE, data={"username": "ada", "password": PASSWORD, **more})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert PASSWORD not in answer.text
    assert "eva" not in answer.text


def test_refuses_an_oversize_form(client):
    assert look(client, password="p" * 2_000_000).status_code == 413


def test_unknown_user_and_wrong_password_get_the_same_response(client, ada):
    wrong, unknown = (look(client, name, "a wrong guess") for name in ("ada", "ado"))
    assert is_refused(wrong, 401)
    assert wrong.text.replace('"ada"', "") == unknown.text.replace('"ado"', "")
    assert "a wrong guess" not in wrong.text


@pytest.mark.parametrize("login", ["ada", "nobody", "maja"])
def test_every_attempt_costs_one_password_verification(client, ada, make_user, monkeypatch, login):
    make_user("maja")
    verifications = []
    original = password_hashing._context.verify_and_update

    def counted(*arguments):
        verifications.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(password_hashing._context, "verify_and_update", counted)
    look(client, login, "a wrong guess")
    assert len(verifications) == 1


@pytest.mark.parametrize("role", ["student", "instructor", "researcher"])
def test_only_admins_see_mails_and_other_attempts_are_recorded(client, ada, make_user, headers_of, role):
    maja = make_user("maja", role=role)
    assert is_refused(look(client, "maja"), 403)
    admin = headers_of("admin")
    (event,) = events(client, admin, user_id=str(maja.id))
    assert (event["type"], event["address"]) == ("access_refused", "testclient")
    assert event["data"] == {"role": role, "route": f"POST {PAGE}"}
    assert events(client, admin, type="mails_read") == []


@pytest.mark.parametrize("column", [{"is_active": False}, {"locked_at": utc_now()}])
def test_a_locked_or_deactivated_admin_sees_nothing(client, ada, make_user, column):
    make_user("ben", role="admin", **column)
    assert is_refused(look(client, "ben"), 401)


def test_a_former_admin_sees_nothing(client, ada, database):
    assert look(client).status_code == 200
    with database.transaction() as db:
        db.execute(update(User).where(User.id == ada.id).values(role="student"))
    assert is_refused(look(client), 403)


def test_wrong_passwords_count_together_with_those_of_logins(client, ada, log_in):
    half = PER_ACCOUNT // 2
    here = [look(client, password="a wrong guess").status_code for _ in range(half)]
    there = [log_in(client, "ada", "a wrong guess").status_code for _ in range(PER_ACCOUNT - half)]
    assert here + there == [401] * PER_ACCOUNT
    locked_out = look(client)
    assert is_refused(locked_out, 429)
    assert locked_out.headers["Retry-After"] == "900"
    assert log_in(client, "ada").status_code == 429


def test_an_address_that_tries_many_accounts_is_limited(client, ada):
    tried = [look(client, f"user{n}", "a wrong guess").status_code for n in range(PER_ADDRESS)]
    assert set(tried) == {401}
    assert is_refused(look(client), 429)


def test_failures_and_limits_are_recorded_without_the_password(client, ada, make_user, log_in):
    for _ in range(PER_ACCOUNT + 1):
        look(client, password="my wrong guess")
    make_user("ben", role="admin")
    headers = {"Authorization": f"Bearer {log_in(client, 'ben').json()['access_token']}"}
    found = events(client, headers, user_id=str(ada.id))
    assert [event["type"] for event in found] == ["login_limited"] + ["login_failed"] * PER_ACCOUNT
    assert "my wrong guess" not in str(found)


def test_after_an_error_the_form_has_only_the_escaped_username(client):
    answer = look(client, '"><script>alert(1)</script>', "a wrong guess")
    assert "<script>" not in answer.text
    assert "a wrong guess" not in answer.text
    (username, password) = Outline(answer.text).all("input")
    assert username["value"] == '"><script>alert(1)</script>'
    assert "value" not in password


# --- What it gives ----------------------------------------------------------------


def test_an_admin_sees_mails_without_a_login_session(client, ada, database, headers_of):
    answer = look(client)
    assert answer.status_code == 200
    assert "eva@example.org" in answer.text
    assert "set-cookie" not in answer.headers
    with database.transaction() as db:
        for table in (UserSession, RefreshToken):
            assert db.scalar(select(func.count()).select_from(table)) == 0
    found = [event for event in events(client, headers_of("admin")) if event["actor_id"] or event["user_id"]]
    mine = [event for event in found if str(ada.id) in (event["actor_id"], event["user_id"])]
    assert [event["type"] for event in mine] == ["mails_read", "login"]
    assert (mine[1]["session_id"], mine[1]["data"]) == (None, {"route": f"POST {PAGE}"})


def test_responses_forbid_caching_framing_and_referrers(client, ada):
    for answer in (client.get(PAGE), look(client), look(client, password="a wrong guess")):
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"):
            assert part in policy


def test_the_page_is_accessible_and_printable(client, ada):
    for n in range(20):
        client.post("/api/auth/register", json={**EVA, "username": f"eva{n}", "email": f"eva{n}@example.org"})
    for answer in (client.get(PAGE), look(client), look(client, password="a wrong guess")):
        outline = Outline(answer.text)
        assert not outline.open
        assert outline.all("html") == [{"lang": "en"}]
        assert len(outline.all("main")) == len(outline.all("h1")) == len(outline.all("title")) == 1
        assert not {"script", "style", "link", "img"} & {tag for tag, _ in outline.tags}
        assert not any(
            name.startswith("on") or name == "style" for _, found in outline.tags for name in found
        )
        ids = [found["id"] for _, found in outline.tags if "id" in found]
        assert len(ids) == len(set(ids))
        labeled = {found["for"] for found in outline.all("label")}
        assert labeled == {found["id"] for found in outline.all("input") if found.get("type") != "hidden"}
        for region in outline.all("article") + outline.all("section"):
            assert region["aria-labelledby"] in ids


def test_mails_are_newest_first_and_further_pages_need_the_password(client, ada):
    for n in range(45):
        person = {**EVA, "username": f"eva{n}", "email": f"eva{n}@example.org"}
        assert client.post("/api/auth/register", json=person).status_code == 201
    seen, cursor = [], {}
    for _ in range(3):
        answer = look(client, **cursor)
        seen += re.findall(r"<dd>(eva\d*)@example.org</dd>", answer.text)
        hidden = [found for found in Outline(answer.text).all("input") if found.get("type") == "hidden"]
        cursor = {found["name"]: found["value"] for found in hidden}
    assert seen == [f"eva{n}" for n in reversed(range(45))] + ["eva"]
    assert cursor == {}
    assert "Older mails" not in answer.text


def test_links_of_mails_work_from_the_page(client, ada, settings, log_in):
    page = look(client).text
    (link,) = Outline(page).all("a")
    assert f">{link['href']}<" in page.replace("<wbr>", ""), "it reads as it leads, for passing on"
    assert link["href"].startswith(f"{settings.public_url}/api/auth/links/verify-email?token=")
    path = link["href"].removeprefix(settings.public_url)
    assert client.get(path).status_code == 200
    address, token = path.split("?token=")
    assert client.post(address, data={"token": token}).status_code == 200
    headers = {"Authorization": f"Bearer {log_in(client, 'eva', EVA['password']).json()['access_token']}"}
    assert client.get("/api/users/me", headers=headers).json()["email_verified_at"] is not None


def test_a_url_in_a_users_name_is_not_a_link(client, make_user):
    make_user("ada", role="admin")
    name = "<b>Eva</b>\nhttps://elsewhere.example/api/auth/links/reset-password?token=abc\n&amp;"
    client.post("/api/auth/register", json={**EVA, "full_name": name})
    page = look(client).text
    assert "&lt;b&gt;Eva&lt;/b&gt;" in page
    assert "&amp;amp;" in page
    assert "https://elsewhere.example" in page
    assert len(Outline(page).all("a")) == 1


def test_an_empty_outbox_says_so(client, make_user):
    make_user("ada", role="admin")
    assert "No mails are waiting." in look(client).text


def test_with_a_mail_server_no_link_is_shown(client_with, database, ada):
    mailing_client = client_with(smtp_url="smtps://mail.example.org", mail_from="cogniflow@example.org")
    page = look(mailing_client).text
    assert "eva@example.org" in page
    assert "token=" not in page
    with database.transaction() as db:
        assert "token=" in db.scalars(select(Mail.body)).one()
