"""List and end login sessions on other devices."""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select, update

from cogniflow_kit.ids import utc_now
from users_service.tables import Revocation, UserSession


def bearer(pair: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {pair['access_token']}"}


def test_sessions_need_a_token(client):
    assert client.get("/api/auth/sessions").status_code == 401
    assert client.delete("/api/auth/sessions").status_code == 401


def test_sessions_are_listed_with_device_address_and_the_current_one_marked(client, make_user, log_in):
    make_user("maja")
    log_in(client, "maja")
    here = log_in(client, "maja").json()
    headers = {**bearer(here), "User-Agent": "another device"}
    found = client.get("/api/auth/sessions", headers=headers).json()["items"]
    assert [session["current"] for session in found] == [True, False]
    assert {session["device"] for session in found} == {"testclient"}
    assert all(session["address"] and session["last_used_at"] for session in found)


def test_a_refresh_updates_last_use_and_address(client, make_user, log_in, database):
    make_user("maja")
    there, here = (log_in(client, "maja").json() for _ in range(2))
    earlier = utc_now() - timedelta(hours=1)
    with database.transaction() as db:
        db.execute(update(UserSession).values(last_used_at=earlier, address="203.0.113.7"))
    assert client.post("/api/auth/refresh", json={"refresh_token": there["refresh_token"]}).is_success
    latest, other = client.get("/api/auth/sessions", headers=bearer(here)).json()["items"]
    assert (latest["current"], other["current"]) == (False, True)
    assert (latest["address"], other["address"]) == ("testclient", "203.0.113.7")
    assert datetime.fromisoformat(other["last_used_at"]) == earlier
    assert datetime.fromisoformat(latest["last_used_at"]) > earlier + timedelta(minutes=59)


def test_another_users_session_is_not_found(client, make_user, log_in):
    make_user("maja"), make_user("noor")
    noor = log_in(client, "noor").json()
    session_id = client.get("/api/auth/sessions", headers=bearer(noor)).json()["items"][0]["id"]
    maja = bearer(log_in(client, "maja").json())
    for unknown in (session_id, uuid4()):
        answer = client.delete(f"/api/auth/sessions/{unknown}", headers=maja)
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert client.post("/api/auth/refresh", json={"refresh_token": noor["refresh_token"]}).is_success


def test_ending_one_session_leaves_the_others(client, make_user, log_in, database):
    make_user("maja")
    there, here = (log_in(client, "maja").json() for _ in range(2))
    other = next(
        session["id"]
        for session in client.get("/api/auth/sessions", headers=bearer(here)).json()["items"]
        if not session["current"]
    )
    assert client.delete(f"/api/auth/sessions/{other}", headers=bearer(here)).status_code == 204
    assert client.delete(f"/api/auth/sessions/{other}", headers=bearer(here)).status_code == 404
    assert client.post("/api/auth/refresh", json={"refresh_token": there["refresh_token"]}).status_code == 401
    assert client.post("/api/auth/refresh", json={"refresh_token": here["refresh_token"]}).status_code == 200
    with database.transaction() as db:
        assert str(db.scalars(select(Revocation.session_id)).one()) == other


def test_ending_all_sessions_ends_the_current_one(client, make_user, log_in):
    make_user("maja")
    pairs = [log_in(client, "maja").json() for _ in range(3)]
    assert client.delete("/api/auth/sessions", headers=bearer(pairs[0])).status_code == 204
    for pair in pairs:
        answer = client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        assert answer.status_code == 401
