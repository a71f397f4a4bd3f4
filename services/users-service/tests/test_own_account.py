"""A user's own account: e-mail address, password, deactivation."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cogniflow_kit.ids import utc_now
from users_service.accounts.mailed_links import PER_MAILBOX
from users_service.login.rate_limits import PER_ACCOUNT
from users_service.password_hashing import hash_password
from users_service.tables import Mail, OneTimeToken, User

PASSWORD = "correct horse battery"
NEW = "another quiet morning"
FORGED = "A" * 43


@pytest.fixture
def maja(client, make_user, log_in):
    """Maja's row, with the headers of her login as an attribute."""
    user = make_user("maja")
    return user, bearer(log_in(client, "maja"))


def bearer(answer):
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def outcome(answer):
    return answer.status_code, answer.json()["code"]


def reset(client, token, password=NEW):
    return client.post("/api/auth/password/reset", json={"token": token, "password": password})


def verify(client, token):
    return client.post("/api/auth/verify-email", json={"token": token})


def change(client, headers, current=PASSWORD, new=NEW):
    body = {"current_password": current, "new_password": new}
    return client.post("/api/auth/password/change", json=body, headers=headers)


def change_email(client, headers, email, password=PASSWORD):
    return client.post("/api/users/me/email", json={"email": email, "password": password}, headers=headers)


def me(client, headers):
    return client.get("/api/users/me", headers=headers).json()


# --- Refusals ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/verify-email/request", None),
        ("/api/auth/password/change", {"current_password": PASSWORD, "new_password": NEW}),
        ("/api/users/me/email", {"email": "new@example.org", "password": PASSWORD}),
        ("/api/users/me/deactivate", {"password": PASSWORD}),
    ],
)
def test_needs_a_token(client, path, body):
    assert client.post(path, json=body).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/verify-email", {"token": FORGED}),
        ("/api/auth/password/forgot", {"email": "maja@example.org"}),
        ("/api/auth/password/reset", {"token": FORGED, "password": NEW}),
        ("/api/auth/password/change", {"current_password": PASSWORD, "new_password": NEW}),
        ("/api/users/me/email", {"email": "new@example.org", "password": PASSWORD}),
        ("/api/users/me/deactivate", {"password": PASSWORD}),
    ],
)
def test_refuses_unknown_and_missing_fields(client, maja, path, body):
    _, headers = maja
    assert client.post(path, json={**body, "user_id": "x"}, headers=headers).status_code == 422
    body.popitem()
    assert client.post(path, json=body, headers=headers).status_code == 422


@pytest.mark.parametrize("token", [FORGED, "a" * 100])
def test_refuses_forged_tokens(client, token):
    assert outcome(reset(client, token)) == (403, "invalid_token")
    assert outcome(verify(client, token)) == (403, "invalid_token")


def test_a_token_works_only_for_its_purpose(client, maja, forgotten_token, mailed_token):
    _, headers = maja
    client.post("/api/auth/verify-email/request", headers=headers)
    verification = mailed_token("maja@example.org")
    assert outcome(reset(client, verification)) == (403, "invalid_token")
    assert outcome(verify(client, forgotten_token("maja"))) == (403, "invalid_token")


def test_refuses_expired_tokens(client, make_user, forgotten_token, database):
    make_user("maja")
    token = forgotten_token("maja")
    with database.transaction() as db:
        db.execute(update(OneTimeToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert outcome(reset(client, token)) == (403, "invalid_token")


def test_refuses_an_expired_link_to_confirm_an_address(client, maja, mailed_token, database):
    _, headers = maja
    client.post("/api/auth/verify-email/request", headers=headers)
    with database.transaction() as db:
        db.execute(update(OneTimeToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert outcome(verify(client, mailed_token("maja@example.org"))) == (403, "invalid_token")
    assert me(client, headers)["email_verified_at"] is None


def test_a_token_works_once_and_a_newer_one_replaces_it(client, make_user, forgotten_token):
    make_user("maja")
    first, second = forgotten_token("maja"), forgotten_token("maja")
    assert outcome(reset(client, first)) == (403, "invalid_token")
    assert reset(client, second).status_code == 204
    assert outcome(reset(client, second, "one more quiet morning")) == (403, "invalid_token")


@pytest.mark.parametrize(
    "columns", [{"is_active": False}, {"locked_at": utc_now()}], ids=["deactivated", "locked"]
)
def test_locked_and_deactivated_users_get_no_links_and_old_ones_fail(
    client, make_user, forgotten_token, database, columns
):
    maja = make_user("maja")
    token = forgotten_token("maja")
    with database.transaction() as db:
        db.execute(update(User).where(User.id == maja.id).values(columns))
    assert outcome(reset(client, token)) == (403, "invalid_token")
    assert forgotten_token("maja") is None


def test_links_to_a_replaced_address_fail(client, maja, forgotten_token, mailed_token):
    _, headers = maja
    token = forgotten_token("maja")
    change_email(client, headers, "new@example.org")
    assert verify(client, mailed_token("new@example.org")).status_code == 204
    assert outcome(reset(client, token)) == (403, "invalid_token")


@pytest.mark.parametrize(
    "password",
    ["password123", "qwertyuiop", "0000000000", "Maja-Maja-1990", "passwordpassword", "example.org"],
)
def test_guessable_passwords_are_refused_everywhere(client, maja, forgotten_token, password):
    _, headers = maja
    token = forgotten_token("maja")
    refused = (422, "password_too_common")
    person = {"username": "maja2", "email": "maja2@example.org", "full_name": "Maja", "password": password}
    assert outcome(client.post("/api/auth/register", json=person)) == refused
    assert outcome(change(client, headers, new=password)) == refused
    answer = reset(client, token, password)
    assert outcome(answer) == refused
    assert password not in answer.text
    assert reset(client, token).status_code == 204, "a refused password doesn't use the link up"


@pytest.mark.parametrize(
    "path", ["/api/auth/password/change", "/api/users/me/email", "/api/users/me/deactivate"]
)
def test_changes_ask_for_the_password_and_count_wrong_ones(client, maja, path):
    _, headers = maja
    bodies = {
        "/api/auth/password/change": {"current_password": "wrong", "new_password": NEW},
        "/api/users/me/email": {"email": "new@example.org", "password": "wrong"},
        "/api/users/me/deactivate": {"password": "wrong"},
    }
    for _ in range(PER_ACCOUNT):
        assert outcome(client.post(path, json=bodies[path], headers=headers)) == (403, "wrong_password")
    assert outcome(client.post(path, json=bodies[path], headers=headers)) == (429, "too_many_attempts")
    assert me(client, headers)["is_active"]


def test_a_taken_address_is_refused_at_request_and_at_confirmation(client, maja, make_user, mailed_token):
    _, headers = maja
    make_user("noor")
    assert outcome(change_email(client, headers, "Noor@example.org")) == (409, "email_taken")
    assert change_email(client, headers, "free@example.org").status_code == 202
    make_user("taker", email="FREE@example.org")
    assert outcome(verify(client, mailed_token("free@example.org"))) == (409, "email_taken")
    assert me(client, headers)["email"] == "maja@example.org"


# --- Forgotten passwords ------------------------------------------------------


def test_forgot_responds_the_same_for_known_and_unknown_addresses(client, make_user, run_jobs, database):
    make_user("maja")
    known = client.post("/api/auth/password/forgot", json={"email": "MAJA@example.org"})
    unknown = client.post("/api/auth/password/forgot", json={"email": "nobody@example.org"})
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text) == (202, known.text)
    run_jobs()
    with database.transaction() as db:
        assert list(db.scalars(select(Mail.recipient))) == ["maja@example.org"]


def test_forgot_runs_the_same_statements_for_known_and_unknown_addresses(client, make_user, statements):
    make_user("maja")
    taken = []
    for name in ("maja", "nobody"):
        with statements() as log:
            client.post("/api/auth/password/forgot", json={"email": f"{name}@example.org"})
        taken.append(log)
    assert taken[0] == taken[1]


@pytest.mark.parametrize("name", ["maja", "nobody"])
def test_forgot_is_limited_per_mailbox(client, make_user, name):
    make_user("maja")
    answers = [
        client.post("/api/auth/password/forgot", json={"email": f"{name}@example.org"}).status_code
        for _ in range(PER_MAILBOX + 1)
    ]
    assert answers == [202] * PER_MAILBOX + [429]


def test_forgot_is_limited_per_ip_address(client):
    answers = [
        client.post("/api/auth/password/forgot", json={"email": f"user{n}@example.org"}).status_code
        for n in range(21)
    ]
    assert answers == [202] * 20 + [429]


def test_a_reset_ends_all_sessions_and_confirms_the_address(client, maja, log_in, forgotten_token):
    _, headers = maja
    pair = log_in(client, "maja").json()
    assert reset(client, forgotten_token("maja")).status_code == 204
    assert client.get("/api/users/me", headers=headers).status_code == 401
    refused = client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert refused.status_code == 401
    assert log_in(client, "maja").status_code == 401
    assert me(client, bearer(log_in(client, "maja", NEW)))["email_verified_at"] is not None


def test_of_two_concurrent_resets_with_one_token_one_succeeds(committing_client, run_jobs, mailed_token):
    client = committing_client
    database = client.app.state.database
    with database.transaction() as db:
        hashed = hash_password(PASSWORD)
        db.add(User(username="maja", email="maja@example.org", full_name="M", hashed_password=hashed))
    client.post("/api/auth/password/forgot", json={"email": "maja@example.org"})
    run_jobs(database)
    token = mailed_token("maja@example.org", database)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: reset(client, token, f"quiet morning number {n}"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [204] + [403] * 7


# --- Verification and change of address -----------------------------------------


def test_registration_mails_a_link_that_confirms_the_address(client, log_in, mailed_token):
    person = {"username": "eva", "email": "eva@example.org", "full_name": "Eva", "password": PASSWORD}
    client.post("/api/auth/register", json=person)
    headers = bearer(log_in(client, "eva"))
    assert me(client, headers)["email_verified_at"] is None
    first = mailed_token("eva@example.org")
    assert client.post("/api/auth/verify-email/request", headers=headers).status_code == 202
    assert outcome(verify(client, first)) == (403, "invalid_token")
    second = mailed_token("eva@example.org")
    assert verify(client, second).status_code == 204
    assert outcome(verify(client, second)) == (403, "invalid_token")
    assert me(client, headers)["email_verified_at"] is not None
    again = client.post("/api/auth/verify-email/request", headers=headers)
    assert outcome(again) == (409, "email_already_verified")


def test_verification_mails_are_limited(client, maja):
    _, headers = maja
    answers = [client.post("/api/auth/verify-email/request", headers=headers).status_code for _ in range(4)]
    assert answers == [202] * 3 + [429]


def test_a_new_address_is_used_once_confirmed_and_the_old_one_is_notified(
    client, maja, mailed_token, database, log_in
):
    _, headers = maja
    assert change_email(client, headers, "new@example.org").status_code == 202
    assert me(client, headers)["email"] == "maja@example.org"
    with database.transaction() as db:
        notice = db.scalars(select(Mail).where(Mail.recipient == "maja@example.org")).one()
    assert "new@example.org" in notice.body
    assert "token" not in notice.body
    assert verify(client, mailed_token("new@example.org")).status_code == 204
    account = me(client, headers)
    assert account["email"] == "new@example.org"
    assert account["email_verified_at"] is not None
    assert log_in(client, "new@example.org").status_code == 200


def test_changing_the_password_cancels_a_change_of_address(client, maja, mailed_token):
    _, headers = maja
    change_email(client, headers, "thief@example.org")
    token = mailed_token("thief@example.org")
    assert change(client, headers).status_code == 204
    assert outcome(verify(client, token)) == (403, "invalid_token")


# --- Changing the password, leaving ------------------------------------------------


def test_a_password_change_ends_the_other_sessions(client, maja, log_in, database):
    _, headers = maja
    other = bearer(log_in(client, "maja"))
    assert change(client, headers).status_code == 204
    assert client.get("/api/users/me", headers=headers).status_code == 200
    assert client.get("/api/users/me", headers=other).status_code == 401
    assert log_in(client, "maja").status_code == 401
    assert log_in(client, "maja", NEW).status_code == 200
    with database.transaction() as db:
        notices = db.scalars(select(Mail.subject).where(Mail.recipient == "maja@example.org"))
        assert list(notices) == ["Your password was changed"]


def test_passwords_are_compared_in_unicode_normal_form(client, maja, log_in):
    _, headers = maja
    assert change(client, headers, new="Müßiggang über Bäche 🜁").status_code == 204
    assert log_in(client, "maja", "Mu\u0308ßiggang u\u0308ber Ba\u0308che 🜁").status_code == 200


def test_a_deactivated_account_is_refused_until_an_admin_unlocks_it(client, maja, log_in, headers_of):
    user, headers = maja
    assert client.post("/api/users/me/deactivate", json={"password": PASSWORD}, headers=headers).is_success
    assert client.get("/api/users/me", headers=headers).status_code == 401
    assert log_in(client, "maja").status_code == 401
    admin = headers_of("admin")
    assert client.post(f"/api/users/{user.id}/unlock", headers=admin).json()["is_active"] is True
    assert log_in(client, "maja").status_code == 200


def test_account_changes_are_recorded_without_secrets(
    client, maja, forgotten_token, headers_of, mailed_token
):
    user, headers = maja
    change_email(client, headers, "new@example.org", "wrong guess")
    change_email(client, headers, "new@example.org")
    tokens = [mailed_token("new@example.org"), forgotten_token("maja")]
    verify(client, tokens[0])
    change(client, headers)
    client.post("/api/users/me/deactivate", json={"password": NEW}, headers=headers)
    params = {"user_id": str(user.id), "limit": 50}
    events = client.get("/api/admin/security-events", headers=headers_of("admin"), params=params).json()
    assert [event["type"] for event in events["items"]][::-1] == [
        "login",
        "password_refused",
        "email_change_requested",
        "password_reset_requested",
        "email_changed",
        "password_changed",
        "deactivated",
    ]
    assert not any(secret in str(events) for secret in (*tokens, PASSWORD, NEW, "wrong guess"))


def test_only_the_hash_of_a_token_is_kept(client, make_user, forgotten_token, database):
    make_user("maja")
    token = forgotten_token("maja")
    with database.transaction() as db:
        rows = [str(row) for row in db.execute(select(OneTimeToken.__table__))]
    assert rows
    assert not any(token in row for row in rows)
