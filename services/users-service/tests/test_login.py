"""Login, refresh, logout."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from passlib.hash import bcrypt
from sqlalchemy import func, select, update

from cogniflow_kit.ids import utc_now
from users_service.password_hashing import hash_password
from users_service.tables import RefreshToken, User, UserSession

PASSWORD = "correct horse battery"


def refresh(client: TestClient, token: str):
    return client.post("/api/auth/refresh", json={"refresh_token": token})


def test_unknown_user_and_wrong_password_get_the_same_response(client, make_user, log_in):
    make_user("maja")
    wrong = log_in(client, "maja", "not the password").json()
    unknown = log_in(client, "nobody", "not the password").json()
    wrong.pop("request_id"), unknown.pop("request_id")
    assert wrong == unknown
    assert (wrong["status"], wrong["code"]) == (401, "invalid_credentials")


def test_unknown_user_and_wrong_password_cost_one_verification_each(client, make_user, monkeypatch, log_in):
    from users_service import password_hashing

    make_user("maja")
    verifications = []
    original = password_hashing._context.verify_and_update

    def counted(*arguments):
        verifications.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(password_hashing._context, "verify_and_update", counted)
    for login in ("maja", "nobody"):
        verifications.clear()
        assert log_in(client, login, "not the password").status_code == 401
        assert len(verifications) == 1


@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_login_needs_both_fields(client, missing):
    form = {"username": "maja", "password": PASSWORD}
    del form[missing]
    assert client.post("/api/auth/token", data=form).status_code == 422


def test_an_inactive_user_cannot_log_in(client, make_user, log_in):
    make_user("maja", is_active=False)
    assert log_in(client, "maja").status_code == 401


@pytest.mark.parametrize("login", ["maja", "MAJA", "maja@example.org"])
def test_logs_in_by_name_or_address(client, make_user, login, log_in):
    make_user("maja")
    answer = log_in(client, login)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    pair = answer.json()
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 300)


def test_a_bcrypt_hash_from_elsewhere_is_replaced_at_login(client, make_user, database, log_in):
    user = make_user("maja", hashed_password=bcrypt.using(rounds=4).hash(PASSWORD))
    assert log_in(client, "maja").status_code == 200
    with database.transaction() as db:
        assert db.get(User, user.id).hashed_password.startswith("$argon2id$")
    assert log_in(client, "maja").status_code == 200


def test_only_a_hash_of_the_refresh_token_is_kept(client, make_user, database, log_in):
    make_user("maja")
    token = log_in(client, "maja").json()["refresh_token"]
    with database.transaction() as db:
        assert token not in db.scalars(select(RefreshToken.token_hash)).all()


def test_an_unknown_refresh_token_is_refused(client):
    answer = refresh(client, "A" * 43)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")


def test_an_expired_refresh_token_is_refused(client, make_user, database, log_in):
    make_user("maja")
    token = log_in(client, "maja").json()["refresh_token"]
    with database.transaction() as db:
        db.execute(update(RefreshToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert refresh(client, token).status_code == 401


def test_a_refresh_returns_a_new_working_pair(client, make_user, log_in):
    make_user("maja")
    first = log_in(client, "maja").json()
    second = refresh(client, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    third = refresh(client, second["refresh_token"])
    assert third.status_code == 200
    headers = {"Authorization": f"Bearer {third.json()['access_token']}"}
    assert client.get("/api/users/me", headers=headers).status_code == 200


def test_within_the_grace_period_a_repeated_refresh_returns_the_same_token(client, make_user, log_in):
    make_user("maja")
    token = log_in(client, "maja").json()["refresh_token"]
    assert refresh(client, token).json()["refresh_token"] == refresh(client, token).json()["refresh_token"]


def test_after_the_grace_period_reuse_ends_the_session(client, make_user, database, log_in):
    make_user("maja")
    token = log_in(client, "maja").json()["refresh_token"]
    successor = refresh(client, token).json()["refresh_token"]
    spent = RefreshToken.spent_at.is_not(None)
    with database.transaction() as db:
        db.execute(update(RefreshToken).where(spent).values(spent_at=utc_now() - timedelta(seconds=11)))
    assert refresh(client, token).status_code == 401
    assert refresh(client, successor).status_code == 401
    with database.transaction() as db:
        assert db.scalar(select(UserSession.end_reason)) == "refresh_token_reused"


def test_only_the_latest_spent_token_has_a_grace_period(client, make_user, log_in):
    make_user("maja")
    first = log_in(client, "maja").json()["refresh_token"]
    second = refresh(client, first).json()["refresh_token"]
    third = refresh(client, second).json()["refresh_token"]
    assert refresh(client, first).status_code == 401
    assert refresh(client, third).status_code == 401


def test_twenty_concurrent_refreshes_create_one_successor(committing_client, log_in):
    client = committing_client
    with client.app.state.database.transaction() as db:
        db.add(
            User(
                username="maja", email="m@example.org", full_name="M", hashed_password=hash_password(PASSWORD)
            )
        )
    token = log_in(client, "maja").json()["refresh_token"]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: refresh(client, token), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    with client.app.state.database.transaction() as db:
        assert db.scalar(select(func.count()).select_from(RefreshToken)) == 2


def test_logout_ends_the_session(client, make_user, log_in):
    make_user("maja")
    pair = log_in(client, "maja").json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert client.post("/api/auth/logout").status_code == 401
    assert client.post("/api/auth/logout", headers=headers).status_code == 204
    assert client.get("/api/users/me", headers=headers).status_code == 401
    assert refresh(client, pair["refresh_token"]).status_code == 401
