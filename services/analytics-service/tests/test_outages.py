"""With a store or a neighbour away: what can go on goes on, what can't says so, nothing is lost."""

import time

import pytest
from sqlalchemy import text

from analytics_service.documents import INTERACTION_LOGS
from cogniflow_dev.testing.servers import json_server, serving
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.events import EVENTS_SCOPE, Deliver, Event
from cogniflow_kit.sql.outbox import SqlOutbox, record

CLOSED = "127.0.0.1:9"
NO_MONGO = f"mongodb://{CLOSED}/cogniflow_analytics"
NO_REDIS = f"redis://{CLOSED}/0"
NO_POSTGRES = f"postgresql+psycopg2://analytics@{CLOSED}/cogniflow"


@pytest.fixture
def without(make_client, database, mongo, redis, settings):
    """A client of the application that can't reach the store whose setting is given."""

    def make(**urls):
        changes = {name: type(settings.database_url)(url) for name, url in urls.items()}
        return make_client(None if "database_url" in urls else database, **changes)

    return make


def assert_away(answer, store):
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "service_unavailable"
    assert store in answer.json()["detail"]


def test_mongodb_away(without, sender, teacher, make_event):
    activity = f"/api/analytics/courses/{teacher.course_id}/activity"
    batch = {"events": [make_event()]}
    with without(mongo_url=NO_MONGO) as client:
        for _ in range(2):
            assert_away(client.post("/internal/events", json=batch, headers=sender), "mongodb")
        assert_away(client.get(activity, headers=teacher.headers), "mongodb")
        started = time.monotonic()
        assert_away(client.post("/internal/events", json=batch, headers=sender), "mongodb")
        assert time.monotonic() - started < 1, "after three failures nobody waits any more"

        assert client.put("/api/presence", headers=teacher.headers).status_code == 204
        daily = f"/api/analytics/courses/{teacher.course_id}/daily"
        assert client.get(daily, headers=teacher.headers).status_code == 200
        only_bad = client.post("/internal/events", json={"events": [{}]}, headers=sender)
        assert only_bad.json()["accepted"] == 0


def test_redis_away(without, sender, teacher, make_event, stored):
    with without(redis_url=NO_REDIS) as client:
        assert_away(client.get("/api/presence", headers=teacher.headers), "redis")
        assert_away(client.put("/api/presence", headers=teacher.headers), "redis")
        for _ in range(5):
            answer = client.post("/internal/events", json={"events": [make_event()]}, headers=sender)
            assert answer.json() == {"accepted": 1, "rejected": []}
    assert len(stored()) == 5


def test_postgresql_away(without, sender, teacher, make_event, stored):
    with without(database_url=NO_POSTGRES) as client:
        daily = f"/api/analytics/courses/{teacher.course_id}/daily"
        assert_away(client.get(daily, headers=teacher.headers), "postgresql")
        answer = client.post("/internal/events", json={"events": [make_event()]}, headers=sender)
        assert answer.json()["accepted"] == 1
        activity = f"/api/analytics/courses/{teacher.course_id}/activity"
        assert client.get(activity, headers=teacher.headers).status_code == 200
        assert client.get("/api/presence", headers=teacher.headers).json()["online"] == 1
    assert len(stored()) == 1


def test_courses_service_away(make_client, database, tokens, teacher):
    with make_client(database, courses_url=f"http://{CLOSED}") as client:
        for what in ("activity", "daily"):
            url = f"/api/analytics/courses/{teacher.course_id}/{what}"
            assert_away(client.get(url, headers=headers(tokens.user("admin"))), "courses-service")


@pytest.fixture
def users_url(tokens):
    """A users-service that gives courses-service its tokens."""
    token = tokens.service("courses-service", "analytics-service", EVENTS_SCOPE)
    with json_server(lambda _: (200, {"access_token": token, "expires_in": 60})) as url:
        yield url


def test_senders_keep_their_events_until_mongodb_is_back(without, committing, users_url, settings, mongo):
    facts = [Event(type="lesson.completed") for _ in range(3)]
    with committing.transaction() as session:
        for fact in facts:
            record(session, fact)
    outbox = SqlOutbox(committing)
    sending = settings.model_copy(update={"users_url": users_url})

    def relay(url):
        client = ServiceClient(sending, "analytics-service", url)
        try:
            return outbox.relay_batch(Deliver(client))
        finally:
            client.close()

    with serving(without(mongo_url=NO_MONGO).app) as url, pytest.raises(Unavailable):
        relay(url)
    with serving(without().app) as url:
        assert relay(url) == 3
        assert relay(url) == 0
    logs = mongo.collection(INTERACTION_LOGS)
    assert {document["_id"] for document in logs.find()} == {fact.id for fact in facts}
    with committing.transaction() as session:
        undelivered = session.scalar(text("SELECT count(*) FROM outbox WHERE delivered_at IS NULL"))
    assert undelivered == 0


def test_an_acknowledged_event_is_on_disk(mongo):
    """The write concern of the log: the majority has it, in the journal."""
    concern = mongo.collection(INTERACTION_LOGS).write_concern.document
    assert concern == {"w": "majority", "j": True}
