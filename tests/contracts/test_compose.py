"""What docker-compose.yml and .env.example promise, read from the files alone."""

import re
from typing import Any

import pytest
import yaml

from cogniflow_dev.paths import repository_root

ROOT = repository_root()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = "mongo-setup"
ON_REQUEST = "legacy-import"
STORES = {"postgres", "mongo", "redis"}
SERVICES = {f"{part}-service" for part in ("users", "courses", "chat", "analytics")}
WORKERS = {f"{part}-worker" for part in ("users", "courses", "chat", "analytics")}
LASTING = sorted(CONTAINERS.keys() - {ONE_SHOT, ON_REQUEST})
SECRET = re.compile(r"(PASSWORD|SECRET|KEYFILE)$")
# Given out by somebody else, and empty unless their server is used.
OPTIONAL = {"OIDC_CLIENT_SECRET"}


def env_example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def variables_used() -> set[str]:
    text = (ROOT / "docker-compose.yml").read_text()
    passed_on = {
        name
        for container in CONTAINERS.values()
        for name, value in container.get("environment", {}).items()
        if value is None
    }
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text)) | passed_on


def test_the_processes_are_the_documented_ones() -> None:
    assert CONTAINERS.keys() == STORES | SERVICES | WORKERS | {"gateway", ONE_SHOT, ON_REQUEST}
    on_request = {name for name, container in CONTAINERS.items() if "profiles" in container}
    assert on_request == {ON_REQUEST}


def test_only_the_gateway_and_the_docs_are_published_and_only_on_this_machine() -> None:
    published = {name: container["ports"] for name, container in CONTAINERS.items() if "ports" in container}
    assert published.keys() == SERVICES | {"gateway"}
    for ports in published.values():
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d{4}\}:\d{4}", *ports)


def test_stores_reach_nothing_outside_and_the_gateway_reaches_no_store() -> None:
    assert COMPOSE["networks"]["stores"] == {"internal": True}
    assert all(CONTAINERS[name]["networks"] == ["stores"] for name in STORES)
    assert CONTAINERS["gateway"]["networks"] == ["front"]


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_every_container_is_confined(name: str) -> None:
    container = CONTAINERS[name]
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["read_only"] is True
    assert container["mem_limit"]
    assert container["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_container_comes_back_and_has_time_to_stop(name: str) -> None:
    container = CONTAINERS[name]
    assert container["restart"] == "unless-stopped"
    # Services drain for up to 20 s.
    assert int(container["stop_grace_period"].removesuffix("s")) >= 30


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_container_tells_its_health(name: str) -> None:
    from_image = name in SERVICES and "HEALTHCHECK" in (ROOT / "deploy" / "Dockerfile").read_text()
    assert from_image or CONTAINERS[name]["healthcheck"]["test"]


def test_services_start_after_their_stores_and_workers_and_gateway_after_them() -> None:
    ready, done = {"condition": "service_healthy"}, {"condition": "service_completed_successfully"}
    sql = {"postgres": ready, "redis": ready}
    assert CONTAINERS["users-service"]["depends_on"] == sql
    for name in SERVICES - {"users-service"}:
        assert CONTAINERS[name]["depends_on"] == sql | {ONE_SHOT: done}
    for name in WORKERS:
        assert CONTAINERS[name]["depends_on"] == {name.replace("-worker", "-service"): ready}
    assert CONTAINERS["gateway"]["depends_on"] == dict.fromkeys(SERVICES, ready)


def test_data_lives_in_named_volumes() -> None:
    named = {name: CONTAINERS[name]["volumes"][0] for name in STORES}
    assert named == {
        "postgres": "postgres_data:/var/lib/postgresql/data",
        "mongo": "mongo_data:/data/db",
        "redis": "redis_data:/data",
    }
    ledger = ["erasures:/erasures"]
    assert CONTAINERS["users-service"]["volumes"] == CONTAINERS["users-worker"]["volumes"] == ledger
    assert CONTAINERS["chat-service"]["volumes"] == ["chat_spool:/spool"]
    assert "volumes" not in CONTAINERS["chat-worker"]
    named = {"postgres_data", "mongo_data", "redis_data", "erasures", "chat_spool"}
    assert COMPOSE["volumes"].keys() == named


def test_every_public_image_can_be_replaced() -> None:
    text = (ROOT / "docker-compose.yml").read_text() + (ROOT / "deploy" / "Dockerfile").read_text()
    for public in ("python:", "pgvector/pgvector:", "mongo:7", "redis:7", "caddy:"):
        assert re.search(rf"\$\{{[A-Z]+_IMAGE:-{public}|ARG PYTHON_IMAGE={public}", text), public
    assert all("${" in CONTAINERS[name]["image"] for name in STORES | {"gateway"})


def test_no_secret_is_written_in_the_compose_file() -> None:
    for container in CONTAINERS.values():
        for name, value in container.get("environment", {}).items():
            if SECRET.search(name) and value is not None:
                assert re.fullmatch(r"\$\{\w+(:\?[^}]+)?\}", value), name
            if name.endswith("_URL") and "@" in str(value):
                assert re.search(r"://\w+:\$\{\w+(:\?[^}]+)?\}@", value), name


def test_a_missing_secret_stops_the_start() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    demo = {name for name in variables_used() if name.startswith("DEMO_")}
    for name in filter(SECRET.search, variables_used() - demo - OPTIONAL):
        assert f"${{{name}:?" in text, name


def test_env_example_lists_every_variable_and_no_other() -> None:
    assert env_example().keys() == variables_used()


def test_env_example_holds_only_secrets_that_services_refuse_in_production() -> None:
    for name, value in env_example().items():
        # The replica set's key may hold base64 characters only; no service reads it.
        if SECRET.search(name) and name not in {"MONGO_KEYFILE", *OPTIONAL}:
            assert "development-only" in value, name


def test_url_parts_need_no_escaping() -> None:
    for name, value in env_example().items():
        if SECRET.search(name) and name not in OPTIONAL:
            assert re.fullmatch(r"[\w.~-]+", value), name
