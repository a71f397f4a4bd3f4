"""Exports and erasures, with an HTTP server of the tests in place of the other services."""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from cogniflow_dev.testing.databases import committed_database
from cogniflow_dev.testing.servers import json_server
from cogniflow_kit.ids import utc_now
from cogniflow_kit.jobs import Jobs
from users_service.bootstrap import bootstrap
from users_service.demo_users import demo_id
from users_service.privacy import archive
from users_service.privacy.erasure_job import replay_ledger
from users_service.privacy.erasure_ledger import ErasureLedger, LedgerEntry
from users_service.privacy.jobs import FIND_OPEN_JOB, register_privacy_jobs
from users_service.privacy.personal_data import (
    CASCADING_TABLES,
    TABLES_WITHOUT_PERSONAL_DATA,
    own_personal_data,
)
from users_service.tables import DataExport, DataExportChunk, ErasureRequest, User, metadata

sys.path.insert(0, str(Path(__file__).parent / "support"))

from other_services import OtherServices

PASSWORD = "correct horse battery"


@pytest.fixture
def others():
    services = OtherServices()
    with json_server(services.answer) as services.url:
        yield services


@pytest.fixture
def wired_settings(settings, others, tmp_path):
    """Settings with the URLs of this test's server and a ledger of its own."""
    return settings.model_copy(
        update={**others.settings(), "erasure_ledger": tmp_path / "e" / "ledger.jsonl"}
    )


@pytest.fixture
def run_work(database, wired_settings) -> Callable[[], None]:
    """Run the privacy jobs as the worker would, until none is left."""

    def run() -> None:
        jobs = Jobs(database, wired_settings.redis_url.get_secret_value(), wired_settings.schema_name)
        register_privacy_jobs(database, jobs, wired_settings)
        with database.transaction() as db:
            jobs.enqueue(db, FIND_OPEN_JOB)
        next_job = text(
            "SELECT id FROM jobs WHERE status = 'queued' AND name ~ 'person|privacy' ORDER BY id LIMIT 1"
        )
        for _ in range(9):
            with database.transaction() as db:
                db.execute(text("UPDATE jobs SET due_at = now() - interval '1 s' WHERE status = 'queued'"))
                job_id = db.scalar(next_job)
            if job_id is None:
                return
            jobs.perform(str(job_id))

    return run


@pytest.fixture
def maja(make_user, log_in, client):
    user = make_user("maja")
    user.headers = {"Authorization": f"Bearer {log_in(client, 'maja').json()['access_token']}"}
    return user


@pytest.fixture
def noor(make_user, log_in, client):
    user = make_user("noor")
    user.headers = {"Authorization": f"Bearer {log_in(client, 'noor').json()['access_token']}"}
    return user


@pytest.fixture
def make_due(database):
    """Set the due time of erasure requests to the past."""

    def step():
        with database.transaction() as db:
            db.execute(update(ErasureRequest).values(due_at=utc_now() - timedelta(seconds=1)))

    return step


@pytest.fixture
def rows(database):
    """Every row of every table, as text."""

    def read(*, but=()):
        names = [table.fullname for table in metadata.tables.values() if table.name not in but]
        with database.transaction() as db:
            return "".join(
                db.scalar(text(f"SELECT coalesce(json_agg(t)::text, '') FROM {name} t")) for name in names
            )

    return read


def export(client, run_work, person):
    """Make an export and return the files of its archive by name."""
    made = client.post("/api/privacy/export", headers=person.headers).json()
    run_work()
    answer = client.get(f"/api/privacy/exports/{made['id']}/download", headers=person.headers)
    assert answer.status_code == 200, answer.text
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    assert files.testzip() is None
    return {name: files.read(name).decode() for name in files.namelist()}


def erase(client, person, password=PASSWORD):
    return client.post("/api/privacy/erase", json={"password": password}, headers=person.headers)


# Refusals.

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


@pytest.mark.parametrize(
    "body", [{}, {"password": ""}, {"password": "x" * 129}, {"password": PASSWORD, "now": True}]
)
def test_an_erasure_needs_exactly_the_password(client, maja, body):
    assert client.post("/api/privacy/erase", json=body, headers=maja.headers).status_code == 422


def test_a_wrong_password_erases_nothing_and_is_counted(client, maja):
    for _ in range(10):
        answer = erase(client, maja, "a guess of somebody")
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert erase(client, maja).status_code == 429
    assert client.get("/api/privacy/erase", headers=maja.headers).status_code == 404


def test_canceling_without_a_request_is_not_found(client, maja):
    answer = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "erasure_not_found")


def test_the_only_admin_can_not_be_erased(client, make_user, log_in):
    admin = make_user("ada", role="admin")
    admin.headers = {"Authorization": f"Bearer {log_in(client, 'ada').json()['access_token']}"}
    answer = erase(client, admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


# Exports.


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


# Erasures.


def test_every_table_is_listed_in_personal_data(database):
    names = {table.name for table in metadata.tables.values()}
    covered = {store.removeprefix("postgresql.") for store in own_personal_data(database).stores}
    assert names - TABLES_WITHOUT_PERSONAL_DATA - CASCADING_TABLES.keys() == covered
    assert names >= TABLES_WITHOUT_PERSONAL_DATA
    for table, owner in CASCADING_TABLES.items():
        (key,) = metadata.tables[f"users.{table}"].foreign_keys
        assert (key.column.table.name, key.ondelete) == (owner, "CASCADE")


def test_an_erasure_waits_and_can_be_canceled(client, maja, run_work, log_in, make_due, others):
    asked = erase(client, maja)
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
    requested_at, due_at = (
        datetime.fromisoformat(asked.json()[moment]) for moment in ("requested_at", "due_at")
    )
    assert abs(due_at - requested_at - timedelta(days=14)) < timedelta(minutes=1)
    assert erase(client, maja).json() == asked.json()
    run_work()
    assert log_in(client, "maja").status_code == 200
    assert client.get("/api/privacy/erase", headers=maja.headers).json() == asked.json()
    canceled = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    assert client.post("/api/privacy/erase/cancel", headers=maja.headers).json() == canceled.json()
    make_due(), run_work()
    assert log_in(client, "maja").status_code == 200
    assert others.asked == []
    assert erase(client, maja).json()["id"] != asked.json()["id"]


def test_an_erasure_erases_one_user_and_keeps_the_others(
    client, maja, noor, others, run_work, log_in, make_due, rows, database, wired_settings
):
    others.write(maja.id, "first canary"), others.write(noor.id, "noor's words")
    client.put("/api/profile", json={"bio": "profile canary"}, headers=maja.headers)
    client.put("/api/profile", json={"bio": "noor's bio"}, headers=noor.headers)
    client.post("/api/privacy/export", headers=maja.headers, json={})
    log_in(client, "MAJA@example.org", "a wrong guess")
    before = export(client, run_work, noor)["users-service.json"]
    assert erase(client, maja).status_code == 202
    make_due(), run_work()

    assert client.get("/api/users/me", headers=maja.headers).status_code == 401
    assert log_in(client, "maja").status_code == 401
    answer = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert answer.status_code == 401
    make_due(), run_work()
    with database.transaction() as db:
        request = db.scalars(select(ErasureRequest)).one()
    assert (request.status, request.passes) == ("finished", 2)
    assert request.receipts["chat-service"]["erased"] == {"postgresql.words": 1}
    assert request.receipts["users-service"]["erased"]["postgresql.users"] == 1
    assert "canary" not in others.everything()
    assert "noor's words in chat" in others.everything()

    left = rows(but={"erasure_requests", "revocations", "login_failures"})
    assert str(maja.id) not in left
    for canary in ("maja", "canary"):
        assert canary not in left.lower()
    assert "noor's bio" in left
    assert '"erasure_finished"' in left
    assert '"erasure_requested"' in left
    after = export(client, run_work, noor)["users-service.json"]
    profile = "postgresql.user_profiles"
    assert json.loads(after)[profile] == json.loads(before)[profile]


def test_an_unavailable_service_is_asked_until_it_answers(client, maja, others, run_work, make_due, database):
    others.write(maja.id, "canary")
    erase(client, maja), make_due()
    others.away.add("chat")
    run_work()
    assert ("courses", "erase") in others.asked
    assert ("analytics", "erase") not in others.asked
    with database.transaction() as db:
        assert db.get(User, maja.id) is not None
        assert db.scalars(select(ErasureRequest.status)).one() == "running"
    others.away.clear()
    run_work(), make_due(), run_work()
    with database.transaction() as db:
        assert db.get(User, maja.id) is None
        assert db.scalars(select(ErasureRequest.status)).one() == "finished"
    assert others.held == {}


def test_a_running_erasure_can_not_be_canceled(client, maja, database, make_due):
    erase(client, maja)
    with database.transaction() as db:
        db.execute(update(ErasureRequest).values(status="running"))
    answer = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "erasure_running")


def test_the_second_pass_erases_what_was_written_during_the_first(
    client, maja, others, run_work, make_due, database
):
    erase(client, maja), make_due(), run_work()
    others.write(maja.id, "a late canary")
    make_due(), run_work()
    assert others.held == {}
    with database.transaction() as db:
        request = db.scalars(select(ErasureRequest)).one()
    assert request.receipts["analytics-service"]["erased"] == {"postgresql.words": 1}


# The ledger.


def test_the_ledger_has_each_erasure_once_and_skips_an_incomplete_line(tmp_path):
    ledger = ErasureLedger(tmp_path / "deep" / "ledger.jsonl")
    assert ledger.entries() == []
    first, second = (LedgerEntry(uuid4(), uuid4(), utc_now()) for _ in range(2))
    ledger.add(first), ledger.add(first)
    path = tmp_path / "deep" / "ledger.jsonl"
    with path.open("a") as file:
        file.write('{"request_id": "0')
    ledger.add(second), ledger.add(second)
    assert ledger.entries() == [first, second]
    assert path.stat().st_mode & 0o777 == 0o600


def test_users_of_a_restored_backup_are_erased_again(
    client, maja, noor, others, run_work, make_due, database, wired_settings, log_in
):
    """The backup is older than the request; the next start closes the account and erases again."""
    with database.transaction() as db:
        backup = dict(db.execute(text("SELECT * FROM users WHERE id = :id"), {"id": maja.id}).one()._mapping)
    erase(client, maja), make_due(), run_work(), make_due(), run_work()
    with database.transaction() as db:
        columns = ", ".join(backup)
        db.execute(
            text(f"INSERT INTO users ({columns}) VALUES ({', '.join(f':{name}' for name in backup)})"), backup
        )
        db.execute(text("DELETE FROM erasure_requests"))
    others.write(maja.id, "a canary from the backup")
    assert log_in(client, "maja").status_code == 200

    replay_ledger(database, ErasureLedger(wired_settings.erasure_ledger))
    assert log_in(client, "maja").status_code == 401
    run_work()
    with database.transaction() as db:
        assert db.get(User, maja.id) is None
        assert db.scalars(select(ErasureRequest.status)).one() == "finished"
    assert others.held == {}
    assert log_in(client, "noor").status_code == 200
    replay_ledger(database, ErasureLedger(wired_settings.erasure_ledger)), run_work()
    assert log_in(client, "noor").status_code == 200


def test_an_erased_demo_account_is_not_created_again(settings, tmp_path):
    """Uses the real bootstrap, which commits."""
    changed = settings.model_copy(update={"demo_data": True, "erasure_ledger": tmp_path / "ledger.jsonl"})
    ErasureLedger(changed.erasure_ledger).add(LedgerEntry(uuid4(), demo_id("learner"), utc_now()))
    with committed_database(settings) as database:
        bootstrap(changed)
        with database.transaction() as db:
            names = set(db.scalars(select(User.username)))
    bootstrap(settings)
    assert names == {"instructor", "admin"}
