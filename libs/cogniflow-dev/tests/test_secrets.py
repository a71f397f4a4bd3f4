"""Secrets are random, private and stable."""

import json
import re
from pathlib import Path

from cogniflow_dev.secrets import Secrets


def test_each_installation_and_each_secret_is_different() -> None:
    first, second = Secrets().environment(), Secrets().environment()
    values = [*first.values(), *second.values()]
    assert len(set(values)) == len(values)


def test_secrets_fit_into_urls_and_shells_unquoted() -> None:
    for name, value in Secrets().environment().items():
        assert re.fullmatch(r"[a-z0-9-]{16,}", value), name


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    Secrets.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_start_uses_the_same_secrets(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    assert Secrets.load_or_create(path) == Secrets.load_or_create(path)


def test_a_file_of_an_older_version_keeps_its_secrets_and_gains_the_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"postgres_password": "old"}))
    loaded = Secrets.load_or_create(path)
    assert loaded.postgres_password == "old"
    assert Secrets.load_or_create(path).redis_password == loaded.redis_password


def test_a_printed_object_shows_no_secret() -> None:
    secrets = Secrets()
    assert secrets.postgres_password not in repr(secrets)
