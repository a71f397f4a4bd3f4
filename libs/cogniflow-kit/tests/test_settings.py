"""An installation never starts on a secret that anybody can read in the repository."""

from typing import ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from cogniflow_kit.settings import ServiceSettings

GOOD = {
    "SERVICE_CLIENT_SECRET": "a secret of our own",
    "DATABASE_URL": "postgresql+psycopg2://kit:own@127.0.0.1/cogniflow",
    "REDIS_URL": "redis://kit:own@127.0.0.1/0",
    "EXTRA_SECRET": "another of our own",
}


class Settings(ServiceSettings):
    service: ClassVar[str] = "kit-service"
    schema_name: ClassVar[str] = "kit"

    extra_secret: SecretStr


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("COGNIFLOW_ENV", "LOG_LEVEL", "HOST", "PORT", "PUBLIC_URL", "DEMO_DATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("DEMO_DATA", "true")
    settings = Settings()
    assert settings.cogniflow_env == "production"
    assert settings.port == 8123
    assert settings.demo_data is True


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_secret_stops_the_start(monkeypatch, name):
    monkeypatch.delenv(name)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize("name", GOOD)
def test_a_placeholder_stops_the_start_in_production(monkeypatch, name):
    monkeypatch.setenv(name, f"{GOOD[name]}development-only")
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize("env", ["development", "test"])
def test_placeholders_are_for_development(monkeypatch, env):
    monkeypatch.setenv("COGNIFLOW_ENV", env)
    monkeypatch.setenv("EXTRA_SECRET", "development-only")
    assert Settings().cogniflow_env == env


@pytest.mark.parametrize("env", ["", "prod", "Development", "staging"])
def test_an_unknown_environment_stops_the_start(monkeypatch, env):
    monkeypatch.setenv("COGNIFLOW_ENV", env)
    with pytest.raises(ValidationError):
        Settings()


def test_no_secret_is_shown(monkeypatch):
    settings = Settings()
    for shown in (repr(settings), str(settings), str(settings.model_dump())):
        assert "own" not in shown
    monkeypatch.setenv("EXTRA_SECRET", "own development-only")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "own development-only" not in str(refused.value)


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        Settings().port = 1
