"""Every event that a service sends is one that analytics-service understands.

`events/TYPE.json` holds one sample of each type. Producers test that they
send what the sample shows; here the consumer reads it.
"""

import json
from pathlib import Path
from uuid import UUID

import pytest

from analytics_service.ingest.repository import event_document
from analytics_service.ingest.schemas import IncomingEvent
from cogniflow_kit.events import Event
from cogniflow_kit.ids import utc_now

SAMPLES = sorted((Path(__file__).parent / "events").glob("*.json"))
TYPES = {
    "course.imported",
    "enrollment.created",
    "experiment.exposed",
    "experiment.outcome",
    "legacy.analytics",
    "lesson.completed",
    "program.answer_completed",
    "program.started",
    "quiz.attempted",
    "tutor.turn_completed",
    "user.logged_in",
    "user.registered",
}


def test_each_type_has_its_sample():
    assert {sample.stem for sample in SAMPLES} == TYPES


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.stem)
def sample(request):
    return json.loads(request.param.read_text()) | {"file": request.param.stem}


def test_a_sample_is_named_for_its_type(sample):
    assert sample["type"] == sample["file"]


def test_a_sample_is_what_the_outbox_sends(sample):
    del sample["file"]
    sent = Event.model_validate(sample).model_dump(mode="json")
    assert sent.keys() == sample.keys()
    assert sent["data"] == sample["data"]


def test_the_consumer_reads_it_whole(sample):
    event = IncomingEvent.model_validate(sample)
    document = event_document(event, source="tests", stored_at=utc_now())
    assert document["_id"] == UUID(sample["id"])
    assert document["actor_id"] == (UUID(sample["actor_id"]) if sample["actor_id"] else None)
    assert document["data"] == sample["data"]
    course_id = sample["data"].get("course_id")
    assert document["course_id"] == (UUID(course_id) if course_id else None)


def test_the_consumer_bears_what_is_new(sample):
    newer = {**sample, "schema": 2, "data": {**sample["data"], "added_later": "value"}}
    event = IncomingEvent.model_validate(newer)
    assert event.data.model_dump()["added_later"] == "value"
