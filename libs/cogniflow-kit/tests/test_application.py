"""What every service has: health, readiness, metrics, docs, and an orderly end."""

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from cogniflow_kit.mongo import Mongo
from cogniflow_kit.redis import RedisStore
from cogniflow_kit.sql.database import Database

NOWHERE = "127.0.0.1:9"


class Closing:
    """A store that remembers whether it was closed."""

    name = "closing"
    outage = (ConnectionError,)
    closed = False

    def check(self) -> None:
        """Always there."""

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def away():
    stores = (
        Database(f"postgresql+psycopg2://nobody@{NOWHERE}/nothing", application="tests"),
        Mongo(f"mongodb://{NOWHERE}/nothing"),
        RedisStore(f"redis://{NOWHERE}/0", "kit"),
    )
    yield stores
    for store in stores:
        store.close()


def test_alive_touches_nothing(make_client, away):
    client = make_client(APIRouter(), stores=away)
    assert client.get("/health/live").text == "ok"


def test_ready_names_each_store_with_its_latency(make_client, database, mongo, redis):
    answer = make_client(APIRouter(), stores=(database, mongo, redis)).get("/health/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ready"
    assert body["stores"].keys() == {"postgresql", "mongodb", "redis"}
    for store in body["stores"].values():
        assert store["ok"] is True
        assert 0 < store["latency_ms"] < 5000


def test_not_ready_says_which_store_is_away(make_client, database, away):
    answer = make_client(APIRouter(), stores=(database, *away[1:])).get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded"
    assert {name: store["ok"] for name, store in answer.json()["stores"].items()} == {
        "postgresql": True,
        "mongodb": False,
        "redis": False,
    }
    assert NOWHERE not in answer.text


@pytest.mark.parametrize("error", [ConnectionError, ConnectionResetError])
def test_a_stores_outage_is_a_503(make_client, error):
    router = APIRouter()

    @router.get("/touch")
    def touch() -> None:
        raise error

    answer = make_client(router, stores=(Closing(),)).get("/touch")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert "closing is away" in answer.json()["detail"]


def test_metrics_and_docs_are_served_and_health_is_not_described(make_client):
    client = make_client(APIRouter())
    assert "http_requests_total" in client.get("/metrics").text
    assert client.get("/docs").status_code == 200
    document = client.get("/openapi.json").json()
    assert document["info"]["title"] == "kit-service"
    assert document["paths"] == {}


def test_stores_are_closed_at_the_end(make_app):
    store = Closing()
    with TestClient(make_app(APIRouter(), stores=(store,))):
        assert not store.closed
    assert store.closed
