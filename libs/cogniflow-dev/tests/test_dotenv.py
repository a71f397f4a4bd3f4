"""The .env that `up --docker` writes."""

import socket
from pathlib import Path

import pytest

from cogniflow_dev.dotenv import read_env, write_env
from cogniflow_dev.paths import repository_root
from cogniflow_dev.ports import LOOPBACK, is_free

_EXAMPLE = repository_root() / ".env.example"


def test_no_published_value_is_left_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    write_env(path, _EXAMPLE)
    written = read_env(path)
    assert set(written) == set(read_env(_EXAMPLE))
    assert not [name for name, value in written.items() if "development" in value and name != "COGNIFLOW_ENV"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_replaced_in_the_public_address_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        taken = str(server.getsockname()[1])
        example = tmp_path / "example"
        example.write_text(_EXAMPLE.read_text().replace("GATEWAY_PORT=8080", f"GATEWAY_PORT={taken}"))
        replaced = write_env(tmp_path / ".env", example)
    written = read_env(tmp_path / ".env")
    assert replaced["GATEWAY_PORT"] == written["GATEWAY_PORT"] != taken
    assert is_free(int(written["GATEWAY_PORT"]))
    assert written["PUBLIC_URL"] == f"http://{LOOPBACK}:{written['GATEWAY_PORT']}"
