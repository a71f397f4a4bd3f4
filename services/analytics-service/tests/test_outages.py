"""Behavior while a store or courses-service is not available; no event is lost."""

import time

import pytest
from sqlalchemy import text

from analytics_service.documents import INTERACTION_LOGS
from cogniflow_dev.testing.servers import json_server, serving
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.events import EVENTS_SCOPE, Event, EventSender
from cogniflow_kit.sql.outbox import SqlOutbox, record

CLOSED = "127.0.0.1:9"
NO_MONGO = f"mongodb://{CLOSED}/cogniflow_analytics"
NO_REDIS = f"redis://{CLOSED}/0"
NO_POSTGRES = f"postgresql+psycopg2://analytics@{CLOSED}/cogniflow"


@pytest.fixture
def client_without(make_client, database, mongo, redis, settings):
    """Call it with the setting of a store to get a client whose service can't reach that store."""

    def make(**urls):
        changes = {name: type(settings.database_url)(url) for name, url in urls.items()}
        return make_client(None if "database_url" in urls else database, **changes)

    return make


def assert_unavailable(answer, store):
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "service_unavailable"
    assert store in answer.json()["detail"]


def test_mongodb_outage(client_without, sender, teacher, make_event):
    activity = f"/api/analytics/courses/{teacher.course_id}/activity"
    batch = {"events": [make_event()]}
    with client_without(mongo_url=NO_MONGO) as client:
        for _ in range(2):
            assert_unavailable(client.post("/internal/events", json=batch, headers=sender), "mongodb")
        assert_unavailable(client.get(activity, headers=teacher.headers), "mongodb")
        started = time.monotonic()
        assert_unavailable(client.post("/internal/events", json=batch, headers=sender), "mongodb")
        assert time.monotonic() - started < 1, "after three failures requests fail fast"

        assert client.put("/api/presence", headers=teacher.headers).status_code == 204
        daily = f"/api/analytics/courses/{teacher.course_id}/daily"
        assert client.get(daily, headers=teacher.headers).status_code == 200
        only_bad = client.post("/internal/events", json={"events": [{}]}, headers=sender)
        assert only_bad.json()["accepted"] == 0


def test_redis_outage(client_without, sender, teacher, make_event, stored):
    with client_without(redis_url=NO_REDIS) as client:
        assert_unavailable(client.get("/api/presence", headers=teacher.headers), "redis")
        assert_unavailable(client.put("/api/presence", headers=teacher.headers), "redis")
        for _ in range(5):
            answer = client.post("/internal/events", json={"events": [make_event()]}, headers=sender)
            assert answer.json() == {"accepted": 1, "rejected": []}
    assert len(stored()) == 5


def test_postgresql_outage(client_without, sender, teacher, make_event, stored):
    with client_without(database_url=NO_POSTGRES) as client:
        daily = f"/api/analytics/courses/{teacher.course_id}/daily"
        assert_unavailable(client.get(daily, headers=teacher.headers), "postgresql")
        answer = client.post("/internal/events", json={"events": [make_event()]}, headers=sender)
        assert answer.json()["accepted"] == 1
        activity = f"/api/analytics/courses/{teacher.course_id}/activity"
        assert client.get(activity, headers=teacher.headers).status_code == 200
        assert client.get("/api/presence", headers=teacher.headers).json()["online"] == 1
    assert len(stored()) == 1


def test_courses_service_outage(make_client, database, tokens, teacher):
    with make_client(database, courses_url=f"http://{CLOSED}") as client:
        for what in ("activity", "daily"):
            url = f"/api/analytics/courses/{teacher.course_id}/{what}"
            assert_unavailable(client.get(url, headers=headers(tokens.user("admin"))), "courses-service")


@pytest.fixture
def users_url(tokens):
    """A stand-in for users-service that issues service tokens."""
    token = tokens.service("courses-service", "analytics-service", EVENTS_SCOPE)
    with json_server(lambda _: (200, {"access_token": token, "expires_in": 60})) as url:
        yield url


def test_senders_keep_events_until_mongodb_is_back(
    client_without, committing_database, users_url, settings, mongo
):
    events = [Event(type="lesson.completed") for _ in range(3)]
    with committing_database.transaction() as db:
        for event in events:
            record(db, event)
    outbox = SqlOutbox(committing_database)
    sending = settings.model_copy(update={"users_url": users_url})

    def relay(url):
        client = ServiceClient(sending, "analytics-service", url)
        try:
            return outbox.relay_batch(EventSender(client))
        finally:
            client.close()

    with serving(client_without(mongo_url=NO_MONGO).app) as url, pytest.raises(Unavailable):
        relay(url)
    with serving(client_without().app) as url:
        assert relay(url) == 3
        assert relay(url) == 0
    logs = mongo.collection(INTERACTION_LOGS)
    assert {document["_id"] for document in logs.find()} == {event.id for event in events}
    with committing_database.transaction() as db:
        undelivered = db.scalar(text("SELECT count(*) FROM outbox WHERE delivered_at IS NULL"))
    assert undelivered == 0


def test_write_concern_is_majority_and_journal(mongo):
    """An acknowledged event is in the journal of a majority."""
    concern = mongo.collection(INTERACTION_LOGS).write_concern.document
    assert concern == {"w": "majority", "j": True}
