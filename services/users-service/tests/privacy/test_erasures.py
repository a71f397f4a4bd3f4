"""Erasures of personal data, and the erasure ledger."""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update

from cogniflow_dev.testing.databases import committed_database
from cogniflow_kit.ids import utc_now
from users_service.bootstrap import bootstrap
from users_service.demo_users import demo_id
from users_service.privacy.erasure_job import replay_ledger
from users_service.privacy.erasure_ledger import ErasureLedger, LedgerEntry
from users_service.privacy.personal_data import (
    CASCADING_TABLES,
    TABLES_WITHOUT_PERSONAL_DATA,
    own_personal_data,
)
from users_service.tables import ErasureRequest, User, metadata

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from privacy_requests import PASSWORD, erase, export


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
