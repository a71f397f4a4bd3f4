"""Exports of personal data."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from cogniflow_kit.ids import utc_now
from users_service.privacy import archive
from users_service.tables import DataExport, DataExportChunk

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from privacy_requests import PASSWORD, erase, export

NO_EXPORT = UUID(int=1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/privacy/export"),
        ("GET", f"/api/privacy/exports/{NO_EXPORT}"),
        ("GET", f"/api/privacy/exports/{NO_EXPORT}/download"),
        ("POST", "/api/privacy/erase"),
        ("GET", "/api/privacy/erase"),
        ("POST", "/api/privacy/erase/cancel"),
    ],
)
def test_privacy_routes_need_a_token(client, method, path):
    assert client.request(method, path).status_code == 401


def test_another_users_export_is_not_found(client, maja, noor, run_work):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    run_work()
    for path in (f"/api/privacy/exports/{made['id']}", f"/api/privacy/exports/{made['id']}/download"):
        answer = client.get(path, headers=noor.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "export_not_found")


def test_an_unfinished_export_can_not_be_downloaded(client, maja):
    made = client.post("/api/privacy/export", headers=maja.headers)
    assert (made.status_code, made.json()["status"]) == (202, "queued")
    answer = client.get(f"/api/privacy/exports/{made.json()['id']}/download", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "export_not_ready")


def test_an_export_has_all_data_of_one_user_and_no_secret(client, maja, noor, others, run_work, database):
    others.write(maja.id, "first canary")
    others.write(maja.id, "second canary")
    others.write(noor.id, "noor's words")
    client.put("/api/profile", json={"bio": "profile canary"}, headers=maja.headers)
    client.put("/api/profile", json={"bio": "noor's bio"}, headers=noor.headers)
    files = export(client, run_work, maja)
    assert files.keys() == {f"{part}-service.json" for part in ("users", "courses", "chat", "analytics")} | {
        "index.html"
    }
    own = json.loads(files["users-service.json"])
    assert own["postgresql.user_profiles"][0]["bio"] == "profile canary"
    assert own["postgresql.users"][0]["email"] == "maja@example.org"
    assert {"postgresql.security_events", "postgresql.user_sessions", "postgresql.outbox"} <= own.keys()
    for part in ("courses", "chat", "analytics"):
        said = json.loads(files[f"{part}-service.json"])["postgresql.words"]
        assert said == [{"said": f"first canary in {part}"}, {"said": f"second canary in {part}"}]
        assert f'<a href="{part}-service.json">' in files["index.html"]
    everything = "".join(files.values())
    assert "noor" not in everything
    assert "$argon2" not in everything
    assert "token_hash" not in everything


def test_an_export_does_not_name_other_users_of_security_events(
    client, maja, make_user, log_in, run_work, database
):
    admin = make_user("ada", role="admin")
    admin.headers = {"Authorization": f"Bearer {log_in(client, 'ada').json()['access_token']}"}
    for what in ("lock", "unlock"):
        assert client.post(f"/api/users/{maja.id}/{what}", headers=admin.headers).is_success
    maja.headers = {"Authorization": f"Bearer {log_in(client, 'maja').json()['access_token']}"}
    events = json.loads(export(client, run_work, maja)["users-service.json"])["postgresql.security_events"]
    (locked,) = [event for event in events if event["type"] == "locked"]
    assert locked["user_id"] == str(maja.id)
    assert {"actor_id", "address", "session_id"} & locked.keys() == set()
    events = json.loads(export(client, run_work, admin)["users-service.json"])["postgresql.security_events"]
    (locked,) = [event for event in events if event["type"] == "locked"]
    assert "user_id" not in locked
    assert locked["actor_id"] == str(admin.id)


def test_an_export_reports_its_progress(client, maja, others, run_work):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    others.away.add("chat")
    path = f"/api/privacy/exports/{made['id']}"
    run_work()
    found = client.get(path, headers=maja.headers).json()
    assert (found["status"], found["parts_done"], found["parts_total"]) == ("running", 2, 4)
    again = client.post("/api/privacy/export", headers=maja.headers).json()
    assert again["id"] == made["id"]
    others.away.clear()
    run_work()
    found = client.get(path, headers=maja.headers).json()
    assert (found["status"], found["parts_done"]) == ("ready", 4)
    assert client.get(f"{path}/download", headers=maja.headers).status_code == 200


def test_an_archive_can_be_downloaded_once(client, maja, run_work, database):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    run_work()
    path = f"/api/privacy/exports/{made['id']}/download"
    assert client.get(path, headers=maja.headers).headers["content-type"] == "application/zip"
    answer = client.get(path, headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "export_gone")
    with database.transaction() as db:
        assert db.scalars(select(DataExportChunk.number)).all() == []


def test_an_archive_expires(client, maja, run_work, database):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    run_work()
    with database.transaction() as db:
        export = db.scalars(select(DataExport)).one()
        assert timedelta(hours=23) < export.expires_at - utc_now() <= timedelta(hours=24)
        export.expires_at = utc_now()
    answer = client.get(f"/api/privacy/exports/{made['id']}/download", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "export_gone")
    run_work()
    with database.transaction() as db:
        assert db.scalars(select(DataExportChunk.number)).all() == []


def test_a_large_archive_is_stored_in_chunks(client, maja, others, run_work, database, monkeypatch):
    monkeypatch.setattr(archive, "CHUNK_BYTES", 1000)
    for number in range(40):
        others.write(maja.id, f"{number} {uuid4()} {uuid4()}")
    files = export(client, run_work, maja)
    assert len(json.loads(files["chat-service.json"])["postgresql.words"]) == 40


def test_exports_and_erasure_requests_are_recorded(client, maja, run_work, headers_of):
    export(client, run_work, maja)
    erase(client, maja, "a guess of somebody"), erase(client, maja)
    client.post("/api/privacy/erase/cancel", headers=maja.headers)
    found = client.get(
        "/api/admin/security-events", headers=headers_of("admin"), params={"user_id": str(maja.id)}
    ).json()["items"]
    assert [event["type"] for event in found][::-1] == [
        "login",
        "export_requested",
        "export_downloaded",
        "password_refused",
        "erasure_requested",
        "erasure_canceled",
    ]
    assert not any(secret in str(found) for secret in (PASSWORD, "a guess of somebody"))


def test_repeated_requests_create_one_export(client, maja, database):
    headers = {**maja.headers, "Idempotency-Key": "once"}
    first, second = (client.post("/api/privacy/export", headers=headers) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
