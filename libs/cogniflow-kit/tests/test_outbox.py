"""Facts leave with what they report, in order, and none is lost, whoever is away or dies."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import text

from cogniflow_dev.testing.servers import json_server
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.events import Event, EventSender
from cogniflow_kit.mongo import MongoOutbox, outbox_fields, outbox_index
from cogniflow_kit.sql.outbox import PRUNE, SqlOutbox, record


class Consumer:
    """analytics-service and users-service on one address."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.reject: dict[str, str] = {}
        self.status = 200

    def answer(self, call):
        if call.path == "/internal/tokens":
            return 200, {"access_token": "token", "expires_in": 60}
        assert call.path == "/internal/events"
        if self.status != 200:
            return self.status, {}
        ids = [event["id"] for event in json.loads(call.body)["events"]]
        self.batches.append(ids)
        rejected = [{"id": name, "reason": self.reject[name]} for name in ids if name in self.reject]
        return 200, {"accepted": len(ids) - len(rejected), "rejected": rejected}

    @property
    def received(self) -> list[str]:
        return [name for batch in self.batches for name in batch]


@pytest.fixture
def consumer():
    return Consumer()


@pytest.fixture
def deliver(consumer, settings):
    with json_server(consumer.answer) as url:
        client = ServiceClient(settings.model_copy(update={"users_url": url}), "analytics-service", url)
        yield EventSender(client)
        client.close()


class SqlFacts:
    """Facts recorded in PostgreSQL."""

    def __init__(self, database):
        self.database = database
        self.outbox = SqlOutbox(database)

    def add(self, count: int) -> list[str]:
        events = [Event(type="thing.made", actor_id=uuid4(), data={"n": n}) for n in range(count)]
        with self.database.transaction() as session:
            for event in events:
                record(session, event)
        return [str(event.id) for event in events]

    def pending(self) -> list[str]:
        find = text("SELECT id FROM outbox WHERE delivered_at IS NULL AND rejected IS NULL ORDER BY id")
        with self.database.transaction() as session:
            return [str(found) for found in session.scalars(find)]

    def rejected(self) -> dict[str, str]:
        with self.database.transaction() as session:
            rows = session.execute(text("SELECT id, rejected FROM outbox WHERE rejected IS NOT NULL"))
            return {str(row.id): row.rejected for row in rows}


class MongoFacts:
    """Facts flagged in documents."""

    def __init__(self, mongo):
        self.turns = mongo.collection("turns")
        outbox_index(self.turns)
        self.outbox = MongoOutbox(self.turns)

    def add(self, count: int) -> list[str]:
        events = [Event(type="thing.made", actor_id=uuid4(), data={"n": n}) for n in range(count)]
        self.turns.insert_many({"_id": uuid4(), "answer": "…", **outbox_fields(event)} for event in events)
        return [str(event.id) for event in events]

    def pending(self) -> list[str]:
        found = self.turns.find({"outbox_pending": True}).sort("outbox.id")
        return [str(document["outbox"]["id"]) for document in found]

    def rejected(self) -> dict[str, str]:
        found = self.turns.find({"outbox_rejected": {"$exists": True}})
        return {str(document["outbox"]["id"]): document["outbox_rejected"] for document in found}


@pytest.fixture(params=["sql", "mongo"])
def facts(request):
    """Both kinds of outbox keep the same promises."""
    if request.param == "sql":
        return SqlFacts(request.getfixturevalue("database"))
    return MongoFacts(request.getfixturevalue("mongo"))


def drain(facts, deliver) -> int:
    total = 0
    while handed_over := facts.outbox.relay_batch(deliver):
        total += handed_over
    return total


def test_nothing_to_say_calls_nobody(facts, deliver, consumer):
    assert facts.outbox.relay_batch(deliver) == 0
    assert consumer.batches == []


def test_facts_are_delivered_once_in_order_and_in_batches(facts, deliver, consumer):
    ids = facts.add(450)
    assert drain(facts, deliver) == 450
    assert consumer.received == ids
    assert [len(batch) for batch in consumer.batches] == [200, 200, 50]
    assert facts.pending() == []
    assert drain(facts, deliver) == 0


def test_an_event_arrives_as_it_was_recorded(facts, deliver, settings):
    bodies = []

    def answer(call):
        if call.path == "/internal/tokens":
            return 200, {"access_token": "token", "expires_in": 60}
        bodies.append(json.loads(call.body))
        return 200, {"accepted": 1, "rejected": []}

    with json_server(answer) as url:
        client = ServiceClient(settings.model_copy(update={"users_url": url}), "analytics-service", url)
        [event_id] = facts.add(1)
        facts.outbox.relay_batch(EventSender(client))
        client.close()
    [event] = bodies[0]["events"]
    assert event["id"] == event_id
    assert event["type"] == "thing.made"
    assert event["data"] == {"n": 0}
    assert event["occurred_at"].endswith("Z")
    assert event["actor_id"]


@pytest.mark.parametrize("status", [500, 503, 401, 413, 422])
def test_while_the_consumer_refuses_everything_waits(facts, deliver, consumer, status):
    ids = facts.add(3)
    consumer.status = status
    with pytest.raises(Exception, match=r"away|" + str(status)):
        facts.outbox.relay_batch(deliver)
    assert facts.pending() == ids
    consumer.status = 200
    more = facts.add(2)
    assert drain(facts, deliver) == 5
    assert consumer.received == ids + more


def test_consumer_down_then_up_loses_nothing_and_keeps_the_order(facts, consumer, settings):
    ids = facts.add(250)
    with json_server(consumer.answer) as url:
        port = int(url.rpartition(":")[2])
    client = ServiceClient(settings.model_copy(update={"users_url": url}), "analytics-service", url)
    with pytest.raises(Unavailable):
        facts.outbox.relay_batch(EventSender(client))
    assert facts.pending() == ids
    with json_server(consumer.answer, port):
        drain(facts, EventSender(client))
    client.close()
    assert consumer.received == ids
    assert facts.pending() == []


def test_a_relay_that_dies_after_delivering_delivers_again(facts, deliver, consumer):
    """At least once: the ids are the same, so that the consumer can tell."""
    ids = facts.add(3)

    def dies(events):
        deliver(events)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        facts.outbox.relay_batch(dies)
    assert facts.pending() == ids
    drain(facts, deliver)
    assert consumer.received == ids + ids


def test_rejected_facts_are_kept_with_the_reason_and_hold_up_nobody(facts, deliver, consumer):
    ids = facts.add(3)
    consumer.reject = {ids[1]: "data.course_id: no id"}
    assert drain(facts, deliver) == 3
    assert facts.pending() == []
    assert facts.rejected() == {ids[1]: "data.course_id: no id"}
    more = facts.add(1)
    assert drain(facts, deliver) == 1
    assert consumer.received == ids + more


def test_two_relays_at_once(facts, deliver, consumer):
    """Nothing is lost. PostgreSQL's relays take other rows; MongoDB's may both send, under one id."""
    ids = facts.add(900)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(drain, facts, deliver) for _ in range(2)]:
            done.result()
    assert set(consumer.received) == set(ids)
    assert facts.pending() == []
    if isinstance(facts, SqlFacts):
        assert len(consumer.received) == 900


def test_a_fact_is_recorded_with_what_it_reports_or_not_at_all(database):
    def fail() -> None:
        with database.transaction() as session:
            session.execute(text("INSERT INTO things (id, name) VALUES (gen_random_uuid(), 'a')"))
            record(session, Event(type="thing.made"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert SqlFacts(database).pending() == []


def test_delivered_facts_are_forgotten_after_a_week_and_others_never(database, deliver, consumer):
    facts = SqlFacts(database)
    old, bad = facts.add(2)
    consumer.reject = {bad: "no"}
    drain(facts, deliver)
    [recent] = facts.add(1)
    drain(facts, deliver)
    [pending] = facts.add(1)
    with database.transaction() as session:
        session.execute(
            text("UPDATE outbox SET delivered_at = now() - interval '8 days' WHERE id = :id"), {"id": old}
        )
        session.execute(text("UPDATE outbox SET created_at = now() - interval '1 year'"))
        session.execute(PRUNE)
        left = {str(found) for found in session.scalars(text("SELECT id FROM outbox"))}
    assert left == {bad, recent, pending}


@pytest.mark.parametrize("kind", ["", "made", "Thing.made", "thing.", ".made", "thing made", "a." + "b" * 64])
def test_an_event_has_a_proper_type(kind):
    with pytest.raises(ValueError, match="type"):
        Event(type=kind)
