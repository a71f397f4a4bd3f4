"""Secret settings: encrypted at rest, never shown, never logged, read with earlier keys, encrypted anew."""

import threading
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from chat_service.bootstrap import bootstrap
from chat_service.platform.settings.definitions import ANONYMOUS_PER_HOUR, LLM_API_KEY
from chat_service.platform.settings.dependencies import secret_cipher
from chat_service.platform.settings.encryption import SecretCipher, reencrypt_secrets
from chat_service.platform.settings.errors import DecryptionFailed, SecretUnreadable
from chat_service.platform.settings.reader import SettingsReader
from chat_service.settings import Settings
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.sql.database import Database

KEY = "/api/settings/llm.api_key"
CANARY = "sk-canary-quince-marmalade"


@pytest.fixture
def as_admin(tokens):
    return headers(tokens.user("admin"))


@pytest.fixture
def put(client, as_admin):
    return lambda value: client.put(KEY, json={"value": value}, headers=as_admin)


def cipher(newest: str, *previous: str) -> SecretCipher:
    return SecretCipher(SecretStr(newest), SecretStr(",".join(previous)))


def stored(database: Database) -> Any:
    with database.transaction() as session:
        return session.scalar(text("SELECT setting_value #>> '{}' FROM system_settings"))


def everything(database: Database) -> str:
    with database.transaction() as session:
        return "".join(
            str(session.scalar(text(f"SELECT json_agg(t)::text FROM {table} t")))
            for table in ("system_settings", "system_setting_changes", "outbox", "idempotency_keys")
        )


def test_a_secret_is_never_given_out(client, put, as_admin, database, caplog, capfd):
    assert put(CANARY).json()["value"] == {"is_set": True}
    put(f"{CANARY}-2"), put(f"{CANARY}-2")
    client.delete(KEY, headers=as_admin)
    put(f"{CANARY}-3")
    answers = [client.get(path, headers=as_admin).text for path in ("/api/settings", f"{KEY}/changes")]
    assert CANARY not in "".join(answers)
    assert CANARY not in everything(database)
    assert CANARY not in caplog.text + capfd.readouterr().out
    changes = client.get(f"{KEY}/changes", headers=as_admin).json()["items"]
    assert [(change["old_value"]["is_set"], change["new_value"]["is_set"]) for change in changes] == [
        (False, True), (True, False), (True, True), (False, True)
    ]  # fmt: skip


def test_a_refused_secret_isnt_repeated(put, caplog):
    refused = put(CANARY * 1000)
    assert refused.status_code == 422
    assert CANARY not in refused.text + caplog.text


def test_the_code_reads_it(put, client):
    put(f"  {CANARY}\n")
    assert client.app.state.settings_reader.get(LLM_API_KEY) == CANARY


def test_the_same_secret_is_encrypted_otherwise_each_time():
    ours = cipher("one")
    assert ours.encrypt(CANARY) != ours.encrypt(CANARY)
    assert ours.decrypt(ours.encrypt(CANARY)) == CANARY


@pytest.mark.parametrize("broken", ["", "nonsense", None, 5, {"is_set": True}, "gAAAAA=="])
def test_what_is_broken_is_unreadable(broken):
    with pytest.raises(DecryptionFailed):
        cipher("one").decrypt(broken)


def test_a_changed_byte_is_noticed():
    sealed = cipher("one").encrypt(CANARY)
    for position in range(0, len(sealed) - 2, 7):
        other = "A" if sealed[position] != "A" else "B"
        with pytest.raises(DecryptionFailed):
            cipher("one").decrypt(sealed[:position] + other + sealed[position + 1 :])


def test_keys_are_rotated(put, database):
    """The old key named beside the new one, a start, and the old one isn't needed any more."""
    put(CANARY)
    with database.transaction() as session:
        session.execute(
            text("UPDATE system_settings SET setting_value = to_jsonb(CAST(:sealed AS text))"),
            {"sealed": cipher("first").encrypt(CANARY)},
        )
    between = cipher("third", "second", "first")
    assert SettingsReader(database, between).get(LLM_API_KEY) == CANARY
    before = stored(database)
    assert reencrypt_secrets(database, between) == 1
    assert stored(database) != before
    assert cipher("third").decrypt(stored(database)) == CANARY
    after = stored(database)
    assert reencrypt_secrets(database, between) == 0
    assert stored(database) == after


def test_a_wrong_key_spoils_that_secret_alone(client, put, as_admin, database, make_client, mongo, caplog):
    put(CANARY)
    client.put("/api/settings/anonymous.sessions_per_hour", json={"value": 3}, headers=as_admin)
    lost = SecretStr("another secret")
    assert reencrypt_secrets(database, SecretCipher(lost)) == 0
    assert "cannot be decrypted" in caplog.text
    with make_client(database, settings_encryption_secret=lost) as other:
        settings_reader = other.app.state.settings_reader
        assert settings_reader.get(ANONYMOUS_PER_HOUR) == 3
        with pytest.raises(SecretUnreadable, match="SETTINGS_ENCRYPTION_PREVIOUS"):
            settings_reader.get(LLM_API_KEY)
        listed = other.get("/api/settings", headers=as_admin).json()["settings"]
        shown = next(setting["value"] for setting in listed if setting["key"] == "llm.api_key")
        assert shown == {"is_set": True, "is_readable": False}
        other.put(KEY, json={"value": "set again"}, headers=as_admin)
        assert settings_reader.get(LLM_API_KEY) == "set again"


def test_every_start_encrypts_with_the_newest_key(committing, settings, mongo, monkeypatch):
    with committing.transaction() as session:
        session.execute(
            text(
                "INSERT INTO system_settings"
                " (setting_id, setting_key, setting_value, setting_type, description)"
                " VALUES (gen_random_uuid(), 'llm.api_key', to_jsonb(CAST(:sealed AS text)), 'secret', '')"
            ),
            {"sealed": cipher("first").encrypt(CANARY)},
        )
    changed = settings.model_copy(
        update={
            "settings_encryption_secret": SecretStr("second"),
            "settings_encryption_previous": SecretStr("first"),
        }
    )
    starts = [
        threading.Thread(target=reencrypt_secrets, args=(committing, secret_cipher(changed)))
        for _ in range(4)
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join(timeout=20)
    bootstrap(changed)
    assert cipher("second").decrypt(stored(committing)) == CANARY


def test_the_published_keys_are_refused_in_production(settings):
    given = settings.model_dump() | {"cogniflow_env": "production"}
    for name in ("settings_encryption_secret", "settings_encryption_previous"):
        with pytest.raises(ValueError, match=name.upper()):
            Settings(**given | {name: SecretStr("development-only-settings-encryption-secret")})
