"""Exports and erasures, with the other services' side as the contract says it."""

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
from users_service.demo import demo_id
from users_service.privacy import archive
from users_service.privacy.jobs import FIND_OPEN, handle_privacy
from users_service.privacy.ledger import Entry, Ledger
from users_service.privacy.personal_data import GOES_WITH, WITHOUT_PEOPLE, personal_data
from users_service.privacy.pipeline import replay
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
def wired(settings, others, tmp_path):
    """The settings with the other services of this test and a ledger of its own."""
    return settings.model_copy(
        update={**others.settings(), "erasure_ledger": tmp_path / "e" / "ledger.jsonl"}
    )


@pytest.fixture
def work(database, wired) -> Callable[[], None]:
    """Do what the worker would: look for open work, then do it, as long as there is some."""

    def run() -> None:
        jobs = Jobs(database, wired.redis_url.get_secret_value(), wired.schema_name)
        handle_privacy(database, jobs, wired)
        with database.transaction() as db:
            jobs.enqueue(db, FIND_OPEN)
        ours = text(
            "SELECT id FROM jobs WHERE status = 'queued' AND name ~ 'person|privacy' ORDER BY id LIMIT 1"
        )
        for _ in range(9):
            with database.transaction() as db:
                db.execute(text("UPDATE jobs SET due_at = now() - interval '1 s' WHERE status = 'queued'"))
                job_id = db.scalar(ours)
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
def time_passes(database):
    """Let what waits be due."""

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


def export(client, work, person):
    """A new export's archive: file by name."""
    made = client.post("/api/privacy/export", headers=person.headers).json()
    work()
    answer = client.get(f"/api/privacy/exports/{made['id']}/download", headers=person.headers)
    assert answer.status_code == 200, answer.text
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    assert files.testzip() is None
    return {name: files.read(name).decode() for name in files.namelist()}


def erase(client, person, password=PASSWORD):
    return client.post("/api/privacy/erase", json={"password": password}, headers=person.headers)


# Refusals first.

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
def test_nothing_without_a_token(client, method, path):
    assert client.request(method, path).status_code == 401


def test_somebody_elses_export_is_not_found(client, maja, noor, work):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    work()
    for path in (f"/api/privacy/exports/{made['id']}", f"/api/privacy/exports/{made['id']}/download"):
        answer = client.get(path, headers=noor.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "export_not_found")


def test_an_export_is_not_there_before_it_is_made(client, maja):
    made = client.post("/api/privacy/export", headers=maja.headers)
    assert (made.status_code, made.json()["status"]) == (202, "queued")
    answer = client.get(f"/api/privacy/exports/{made.json()['id']}/download", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "export_not_ready")


@pytest.mark.parametrize(
    "body", [{}, {"password": ""}, {"password": "x" * 129}, {"password": PASSWORD, "now": True}]
)
def test_an_erasure_wants_the_password_and_nothing_else(client, maja, body):
    assert client.post("/api/privacy/erase", json=body, headers=maja.headers).status_code == 422


def test_a_wrong_password_erases_nothing_and_is_counted(client, maja):
    for _ in range(10):
        answer = erase(client, maja, "a guess of somebody")
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert erase(client, maja).status_code == 429
    assert client.get("/api/privacy/erase", headers=maja.headers).status_code == 404


def test_there_is_nothing_to_cancel(client, maja):
    answer = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "erasure_not_found")


def test_the_only_admin_stays(client, make_user, log_in):
    admin = make_user("ada", role="admin")
    admin.headers = {"Authorization": f"Bearer {log_in(client, 'ada').json()['access_token']}"}
    answer = erase(client, admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


# Exports.


def test_an_export_holds_everything_of_one_person_and_no_key(client, maja, noor, others, work, database):
    others.write(maja.id, "first canary")
    others.write(maja.id, "second canary")
    others.write(noor.id, "noor's words")
    client.put("/api/profile", json={"bio": "profile canary"}, headers=maja.headers)
    client.put("/api/profile", json={"bio": "noor's bio"}, headers=noor.headers)
    files = export(client, work, maja)
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


def test_an_export_tells_nothing_of_who_did_something_to_somebody(
    client, maja, make_user, log_in, work, database
):
    admin = make_user("ada", role="admin")
    admin.headers = {"Authorization": f"Bearer {log_in(client, 'ada').json()['access_token']}"}
    for what in ("lock", "unlock"):
        assert client.post(f"/api/users/{maja.id}/{what}", headers=admin.headers).is_success
    maja.headers = {"Authorization": f"Bearer {log_in(client, 'maja').json()['access_token']}"}
    events = json.loads(export(client, work, maja)["users-service.json"])["postgresql.security_events"]
    (locked,) = [event for event in events if event["type"] == "locked"]
    assert locked["user_id"] == str(maja.id)
    assert {"actor_id", "address", "session_id"} & locked.keys() == set()
    events = json.loads(export(client, work, admin)["users-service.json"])["postgresql.security_events"]
    (locked,) = [event for event in events if event["type"] == "locked"]
    assert "user_id" not in locked
    assert locked["actor_id"] == str(admin.id)


def test_an_export_tells_its_progress(client, maja, others, work):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    others.away.add("chat")
    path = f"/api/privacy/exports/{made['id']}"
    work()
    found = client.get(path, headers=maja.headers).json()
    assert (found["status"], found["parts_done"], found["parts_total"]) == ("running", 2, 4)
    again = client.post("/api/privacy/export", headers=maja.headers).json()
    assert again["id"] == made["id"]
    others.away.clear()
    work()
    found = client.get(path, headers=maja.headers).json()
    assert (found["status"], found["parts_done"]) == ("ready", 4)
    assert client.get(f"{path}/download", headers=maja.headers).status_code == 200


def test_an_archive_is_downloaded_once_and_then_gone(client, maja, work, database):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    work()
    path = f"/api/privacy/exports/{made['id']}/download"
    assert client.get(path, headers=maja.headers).headers["content-type"] == "application/zip"
    answer = client.get(path, headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "export_gone")
    with database.transaction() as db:
        assert db.scalars(select(DataExportChunk.number)).all() == []


def test_an_archive_expires(client, maja, work, database):
    made = client.post("/api/privacy/export", headers=maja.headers).json()
    work()
    with database.transaction() as db:
        export = db.scalars(select(DataExport)).one()
        assert timedelta(hours=23) < export.expires_at - utc_now() <= timedelta(hours=24)
        export.expires_at = utc_now()
    answer = client.get(f"/api/privacy/exports/{made['id']}/download", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "export_gone")
    work()
    with database.transaction() as db:
        assert db.scalars(select(DataExportChunk.number)).all() == []


def test_a_large_archive_is_kept_in_pieces(client, maja, others, work, database, monkeypatch):
    monkeypatch.setattr(archive, "PIECE", 1000)
    for number in range(40):
        others.write(maja.id, f"{number} {uuid4()} {uuid4()}")
    files = export(client, work, maja)
    assert len(json.loads(files["chat-service.json"])["postgresql.words"]) == 40


def test_exports_and_wishes_to_be_erased_are_recorded(client, maja, work, headers_of):
    export(client, work, maja)
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


def test_a_repeated_request_is_one_export(client, maja, database):
    headers = {**maja.headers, "Idempotency-Key": "once"}
    first, second = (client.post("/api/privacy/export", headers=headers) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())


# Erasures.


def test_every_table_is_covered(database):
    names = {table.name for table in metadata.tables.values()}
    covered = {store.removeprefix("postgresql.") for store in personal_data(database).stores}
    assert names - WITHOUT_PEOPLE - GOES_WITH.keys() == covered
    assert names >= WITHOUT_PEOPLE
    for table, owner in GOES_WITH.items():
        (key,) = metadata.tables[f"users.{table}"].foreign_keys
        assert (key.column.table.name, key.ondelete) == (owner, "CASCADE")


def test_an_erasure_waits_and_can_be_canceled(client, maja, work, log_in, time_passes, others):
    asked = erase(client, maja)
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
    requested_at, due_at = (
        datetime.fromisoformat(asked.json()[moment]) for moment in ("requested_at", "due_at")
    )
    assert abs(due_at - requested_at - timedelta(days=14)) < timedelta(minutes=1)
    assert erase(client, maja).json() == asked.json()
    work()
    assert log_in(client, "maja").status_code == 200
    assert client.get("/api/privacy/erase", headers=maja.headers).json() == asked.json()
    canceled = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    assert client.post("/api/privacy/erase/cancel", headers=maja.headers).json() == canceled.json()
    time_passes(), work()
    assert log_in(client, "maja").status_code == 200
    assert others.asked == []
    assert erase(client, maja).json()["id"] != asked.json()["id"]


def test_an_erasure_leaves_nothing_of_one_person_and_all_of_another(
    client, maja, noor, others, work, log_in, time_passes, rows, database, wired
):
    others.write(maja.id, "first canary"), others.write(noor.id, "noor's words")
    client.put("/api/profile", json={"bio": "profile canary"}, headers=maja.headers)
    client.put("/api/profile", json={"bio": "noor's bio"}, headers=noor.headers)
    client.post("/api/privacy/export", headers=maja.headers, json={})
    log_in(client, "MAJA@example.org", "a wrong guess")
    before = export(client, work, noor)["users-service.json"]
    assert erase(client, maja).status_code == 202
    time_passes(), work()

    assert client.get("/api/users/me", headers=maja.headers).status_code == 401
    assert log_in(client, "maja").status_code == 401
    answer = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert answer.status_code == 401
    time_passes(), work()
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
    after = export(client, work, noor)["users-service.json"]
    profile = "postgresql.user_profiles"
    assert json.loads(after)[profile] == json.loads(before)[profile]


def test_a_service_that_is_away_is_asked_until_it_answers(client, maja, others, work, time_passes, database):
    others.write(maja.id, "canary")
    erase(client, maja), time_passes()
    others.away.add("chat")
    work()
    assert ("courses", "erase") in others.asked
    assert ("analytics", "erase") not in others.asked
    with database.transaction() as db:
        assert db.get(User, maja.id) is not None
        assert db.scalars(select(ErasureRequest.status)).one() == "running"
    others.away.clear()
    work(), time_passes(), work()
    with database.transaction() as db:
        assert db.get(User, maja.id) is None
        assert db.scalars(select(ErasureRequest.status)).one() == "finished"
    assert others.held == {}


def test_once_begun_it_cannot_be_canceled(client, maja, database, time_passes):
    erase(client, maja)
    with database.transaction() as db:
        db.execute(update(ErasureRequest).values(status="running"))
    answer = client.post("/api/privacy/erase/cancel", headers=maja.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "erasure_running")


def test_what_comes_in_between_is_found_by_the_second_pass(client, maja, others, work, time_passes, database):
    erase(client, maja), time_passes(), work()
    others.write(maja.id, "a late canary")
    time_passes(), work()
    assert others.held == {}
    with database.transaction() as db:
        request = db.scalars(select(ErasureRequest)).one()
    assert request.receipts["analytics-service"]["erased"] == {"postgresql.words": 1}


# The ledger.


def test_the_ledger_keeps_each_erasure_once_and_bears_a_broken_line(tmp_path):
    ledger = Ledger(tmp_path / "deep" / "ledger.jsonl")
    assert ledger.entries() == []
    first, second = (Entry(uuid4(), uuid4(), utc_now()) for _ in range(2))
    ledger.add(first), ledger.add(first)
    path = tmp_path / "deep" / "ledger.jsonl"
    with path.open("a") as file:
        file.write('{"request_id": "0')
    ledger.add(second), ledger.add(second)
    assert ledger.entries() == [first, second]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_restored_backup_brings_nobody_back(
    client, maja, noor, others, work, time_passes, database, wired, log_in
):
    """The backup is from before the request; the next start closes the account and erases again."""
    with database.transaction() as db:
        backup = dict(db.execute(text("SELECT * FROM users WHERE id = :id"), {"id": maja.id}).one()._mapping)
    erase(client, maja), time_passes(), work(), time_passes(), work()
    with database.transaction() as db:
        columns = ", ".join(backup)
        db.execute(
            text(f"INSERT INTO users ({columns}) VALUES ({', '.join(f':{name}' for name in backup)})"), backup
        )
        db.execute(text("DELETE FROM erasure_requests"))
    others.write(maja.id, "a canary from the backup")
    assert log_in(client, "maja").status_code == 200

    replay(database, Ledger(wired.erasure_ledger))
    assert log_in(client, "maja").status_code == 401
    work()
    with database.transaction() as db:
        assert db.get(User, maja.id) is None
        assert db.scalars(select(ErasureRequest.status)).one() == "finished"
    assert others.held == {}
    assert log_in(client, "noor").status_code == 200
    replay(database, Ledger(wired.erasure_ledger)), work()
    assert log_in(client, "noor").status_code == 200


def test_an_erased_demo_login_is_not_made_again(settings, tmp_path):
    """Through the real start, which commits."""
    changed = settings.model_copy(update={"demo_data": True, "erasure_ledger": tmp_path / "ledger.jsonl"})
    Ledger(changed.erasure_ledger).add(Entry(uuid4(), demo_id("learner"), utc_now()))
    with committed_database(settings) as database:
        bootstrap(changed)
        with database.transaction() as db:
            names = set(db.scalars(select(User.username)))
    bootstrap(settings)
    assert names == {"instructor", "admin"}
