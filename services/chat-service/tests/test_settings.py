"""Settings that admins change: typed, audited for good, secrets not shown, read when PostgreSQL is away."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chat_service.personal_data import personal_data
from chat_service.platform.settings import reader
from chat_service.platform.settings.definitions import (
    ANONYMOUS_PER_HOUR,
    LLM_OPTIONS,
    SETTINGS,
    TRANSCRIPT,
    ModelOptions,
)
from chat_service.platform.settings.dependencies import secret_cipher
from chat_service.platform.settings.reader import SettingsReader
from cogniflow_dev.testing.tokens import TokenMint, headers
from cogniflow_kit.sql.database import Database

PER_HOUR = "/api/settings/anonymous.sessions_per_hour"
Put = Callable[[str, Any], Any]


@pytest.fixture
def admin(tokens: TokenMint) -> str:
    return tokens.user("admin")


@pytest.fixture
def as_admin(admin: str) -> dict[str, str]:
    return headers(admin)


@pytest.fixture
def put(client: TestClient, as_admin: dict[str, str]) -> Put:
    return lambda key, value: client.put(f"/api/settings/{key}", json={"value": value}, headers=as_admin)


@pytest.fixture
def shown(client: TestClient, as_admin: dict[str, str]) -> Callable[[str], dict[str, Any]]:
    def find(key: str) -> dict[str, Any]:
        listed = client.get("/api/settings", headers=as_admin).json()["settings"]
        return next(setting for setting in listed if setting["key"] == key)

    return find


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time that a configuration goes by, in seconds."""
    now = [1000.0]
    monkeypatch.setattr(reader, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PUT", "/llm.model"), ("DELETE", "/llm.model"), ("GET", "/llm.model/changes")],
)
def test_only_admins_may(client, tokens, method, path):
    address, body = f"/api/settings{path}", {"value": "x"} if method == "PUT" else None
    assert client.request(method, address, json=body).status_code == 401
    for role in ("student", "instructor", "researcher"):
        answer = client.request(method, address, json=body, headers=headers(tokens.user(role)))
        assert answer.status_code == 403
    assert client.request(method, address, json=body, headers=headers(tokens.user("admin"))).is_success


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("anonymous.sessions_per_hour", "5", "int_type"),
        ("anonymous.sessions_per_hour", 5.5, "int_type"),
        ("anonymous.sessions_per_hour", True, "int_type"),
        ("anonymous.sessions_per_hour", None, "int_type"),
        ("anonymous.sessions_per_hour", -1, "greater_than_equal"),
        ("anonymous.sessions_per_hour", 10**30, "less_than_equal"),
        ("retention.anonymous_days", 0, "greater_than_equal"),
        ("features.anonymous_sessions", 1, "bool_type"),
        ("features.anonymous_sessions", "false", "bool_type"),
        ("retention.transcript_at_completion", "burn", "literal_error"),
        ("llm.base_url", "localhost:11434", "string_pattern_mismatch"),
        ("llm.base_url", "http://user:pass@localhost/", "string_pattern_mismatch"),
        ("llm.model", 5, "string_type"),
        ("llm.model", "m" * 201, "string_too_long"),
        ("llm.api_key", "", "string_too_short"),
        ("llm.api_key", "   ", "string_too_short"),
        ("llm.api_key", None, "string_type"),
        ("llm.api_key", {"is_set": True}, "string_type"),
        ("llm.options", "warm", "model_type"),
        ("llm.options", {"temperature": "warm"}, "float_type"),
        ("llm.options", {"temperature": 3}, "less_than_equal"),
        ("llm.options", {"tempreature": 1}, "extra_forbidden"),
    ],
)
def test_a_value_of_another_type_is_refused(put, shown, key, value, why):
    before = shown(key)
    answer = put(key, value)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "validation_failed"
    assert [found["code"] for found in problem["errors"]] == [why]
    assert problem["errors"][0]["field"].startswith("body.value")
    assert "pass" not in answer.text
    assert shown(key) == before


@pytest.mark.parametrize(
    "body",
    [
        b"{}", b"5", b"null", b'{"value": 5, "more": 1}', b'{"value": NaN}', b'{"value": "\\ud800"}',
        b'{"value": "\\u0000"}', b'{"value": {"a": "\\u0000"}}',
        b'{"value": ' + b"[" * 400 + b"]" * 400 + b"}",
        b'{"value": ' + b'{"a":' * 400 + b"1" + b"}" * 400 + b"}",
        b'{"value": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_refused(client, as_admin, body):
    for key in ("llm.model", "llm.options", "llm.api_key"):
        answer = client.put(f"/api/settings/{key}", content=body, headers=as_admin)
        assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize("key", ["llm.nothing", "a", "llm.api_key.x"])
def test_unknown_keys_are_not_found(client, as_admin, key):
    for method, path in (("PUT", ""), ("DELETE", ""), ("GET", "/changes")):
        body = {"value": 1} if method == "PUT" else None
        answer = client.request(method, f"/api/settings/{key}{path}", json=body, headers=as_admin)
        assert (answer.status_code, answer.json()["code"]) == (404, "setting_not_found")


def test_every_setting_is_listed_with_its_default(client, as_admin):
    answer = client.get("/api/settings", headers=as_admin)
    listed = {setting["key"]: setting for setting in answer.json()["settings"]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert listed.keys() == SETTINGS.keys()
    for setting in listed.values():
        assert setting["is_default"]
        assert setting["value"] == setting["default"]
        assert setting["description"].endswith(".")
        assert setting["updated_by"] is setting["updated_at"] is None
    assert listed["anonymous.sessions_per_hour"]["accepts"] == {
        "maximum": 1_000_000, "minimum": 0, "type": "integer"
    }  # fmt: skip
    assert listed["retention.transcript_at_completion"]["accepts"]["enum"] == ["keep", "remove"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("anonymous.sessions_per_hour", 0),
        ("features.language_model", True),
        ("llm.base_url", "http://127.0.0.1:11434/v1"),
        ("llm.model", "größer, 大きい"),
        ("llm.options", {"temperature": 1, "max_tokens": None}),
        ("retention.transcript_at_completion", "remove"),
    ],
)
def test_a_setting_is_changed_and_goes_back_to_its_default(
    client, put, shown, as_admin, admin, tokens, key, value
):
    answer = put(key, value)
    assert answer.status_code == 200, answer.text
    assert answer.json() == shown(key)
    assert (shown(key)["value"], shown(key)["is_default"]) == (value, False)
    assert shown(key)["updated_by"] == str(tokens.id_of(admin))
    assert client.delete(f"/api/settings/{key}", headers=as_admin).status_code == 204
    assert client.delete(f"/api/settings/{key}", headers=as_admin).status_code == 204
    assert (shown(key)["value"], shown(key)["is_default"]) == (shown(key)["default"], True)


def test_every_change_is_told_newest_first(client, put, as_admin, tokens, admin):
    second = tokens.user("admin")
    put("anonymous.sessions_per_hour", 5)
    put("anonymous.sessions_per_hour", 5)
    client.put(PER_HOUR, json={"value": 6}, headers=headers(second))
    client.delete(PER_HOUR, headers=as_admin)
    put("llm.model", "another setting")
    answer = client.get(f"{PER_HOUR}/changes", headers=as_admin, params={"limit": 2}).json()
    assert [(change["old_value"], change["new_value"]) for change in answer["items"]] == [(6, None), (5, 6)]
    assert answer["items"][1]["actor_id"] == str(tokens.id_of(second))
    rest = client.get(
        f"{PER_HOUR}/changes", headers=as_admin, params={"cursor": answer["next_cursor"]}
    ).json()
    assert [(change["old_value"], change["new_value"]) for change in rest["items"]] == [(None, 5)]
    assert rest["items"][0]["actor_id"] == str(tokens.id_of(admin))
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM system_setting_changes",
        "TRUNCATE system_setting_changes",
        "UPDATE system_setting_changes SET new_value = '7'",
        "UPDATE system_setting_changes SET actor_id = NULL, new_value = '7'",
        "UPDATE system_setting_changes SET setting_key = 'llm.model'",
        "UPDATE system_setting_changes SET changed_at = now() - interval '1 day'",
        "UPDATE system_setting_changes SET actor_id = gen_random_uuid()",
    ],
)
def test_the_audit_cannot_be_rewritten(put, database, statement):
    put("anonymous.sessions_per_hour", 5)
    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as session:
        session.execute(text(statement))


def test_an_admin_who_is_erased_leaves_the_audit_without_a_name(
    client, put, as_admin, admin, tokens, database, mongo
):
    put("anonymous.sessions_per_hour", 5)
    put("llm.api_key", "canary-key")
    data, admin_id = personal_data(database, mongo), tokens.id_of(admin)
    assert "canary-key" not in str(list(data.records(admin_id)))
    erased = data.erase(admin_id).erased
    assert (erased["postgresql.system_settings"], erased["postgresql.system_setting_changes"]) == (2, 2)
    (change,) = client.get(f"{PER_HOUR}/changes", headers=as_admin).json()["items"]
    assert (change["actor_id"], change["new_value"]) == (None, 5)
    assert list(data.records(admin_id)) == []


def test_anonymous_sessions_can_be_turned_off_and_limited(client, put):
    start = "/api/programs/support-intake/start-anonymously"
    assert client.post(start).status_code == 201
    put("anonymous.sessions_per_hour", 1)
    assert client.post(start).status_code == 429
    put("features.anonymous_sessions", False)
    refused = client.post(start)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_anonymous")


def test_a_change_elsewhere_is_seen_within_seconds(database, settings, clock):
    settings_reader = SettingsReader(database, secret_cipher(settings))
    assert settings_reader.get(ANONYMOUS_PER_HOUR) == 1000
    _store(database, "anonymous.sessions_per_hour", "7")
    clock[0] += 4.9
    assert settings_reader.get(ANONYMOUS_PER_HOUR) == 1000
    clock[0] += 0.2
    assert settings_reader.get(ANONYMOUS_PER_HOUR) == 7


def test_values_come_with_their_type(database, settings):
    _store(database, "llm.options", '{"temperature": 0.5}')
    _store(database, "retention.transcript_at_completion", '"remove"')
    settings_reader = SettingsReader(database, secret_cipher(settings))
    assert settings_reader.get(LLM_OPTIONS) == ModelOptions(temperature=0.5)
    assert settings_reader.get(TRANSCRIPT) == "remove"


def test_a_stored_value_that_is_no_longer_valid_leaves_the_default(database, settings, caplog):
    _store(database, "anonymous.sessions_per_hour", '"many"')
    _store(database, "of.another.version", "1")
    settings_reader = SettingsReader(database, secret_cipher(settings))
    assert settings_reader.get(ANONYMOUS_PER_HOUR) == 1000
    assert "is invalid" in caplog.text


def test_last_known_values_count_while_postgresql_is_away(settings, database, clock, caplog):
    _store(database, "anonymous.sessions_per_hour", "7")
    known, unknown = (SettingsReader(database, secret_cipher(settings)) for _ in range(2))
    assert known.get(ANONYMOUS_PER_HOUR) == 7
    nowhere = Database("postgresql+psycopg2://chat@127.0.0.1:9/cogniflow", application="tests")
    known._database = unknown._database = nowhere
    for _ in range(3):
        clock[0] += 6
        assert known.get(ANONYMOUS_PER_HOUR) == 7
        assert unknown.get(ANONYMOUS_PER_HOUR) == 1000
    assert caplog.text.count("using last known settings") == 2, "once for each"
    known._database = unknown._database = database
    clock[0] += 6
    assert known.get(ANONYMOUS_PER_HOUR) == unknown.get(ANONYMOUS_PER_HOUR) == 7
    assert caplog.text.count("read again") == 2


def test_nobody_waits_for_a_server_that_is_frozen(settings, database):
    """It takes connections and says nothing. One caller finds out, the others go on meanwhile."""
    settings_reader = SettingsReader(database, secret_cipher(settings))
    _store(database, "anonymous.sessions_per_hour", "7")
    settings_reader.get(ANONYMOUS_PER_HOUR)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg2://chat@127.0.0.1:{silent.getsockname()[1]}/cogniflow"
        settings_reader._database = Database(url, application="tests")
        settings_reader._refresh_at = 0.001
        waited: list[float] = []

        def read() -> None:
            since = time.monotonic()
            assert settings_reader.get(ANONYMOUS_PER_HOUR) == 7
            waited.append(time.monotonic() - since)

        readers = [threading.Thread(target=read) for _ in range(8)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(timeout=20)
        read()
    assert len(waited) == 9
    assert sorted(waited)[-1] < 2
    assert sum(seconds > 0.2 for seconds in waited) == 1


def test_the_database_is_asked_once_in_five_seconds(database, settings, clock, monkeypatch):
    settings_reader = SettingsReader(database, secret_cipher(settings))
    asked = []
    run = database.run
    monkeypatch.setattr(database, "run", lambda *given: asked.append(given) or run(*given))
    for _ in range(50):
        settings_reader.get(ANONYMOUS_PER_HOUR)
        clock[0] += 0.1
    assert len(asked) == 1


def _store(database: Database, key: str, value: str) -> None:
    statement = text(
        "INSERT INTO system_settings (setting_id, setting_key, setting_value, setting_type, description)"
        " VALUES (:id, :key, CAST(:value AS jsonb), 'json', '')"
    )
    with database.transaction() as session:
        session.execute(statement, {"id": uuid4(), "key": key, "value": value})
