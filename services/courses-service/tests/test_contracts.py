"""Events have the shape of the samples that analytics-service is tested with."""

import json
from pathlib import Path
from typing import Any

import pytest
from api_users import ApiUser

from courses_service.indexes import QUIZ_ATTEMPTS

SAMPLES = Path(__file__).resolve().parents[3] / "tests" / "contracts" / "events"


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """Field names and types, which consumers rely on."""
    return {
        name: shape(value) if isinstance(value, dict) else type(value).__name__
        for name, value in event.items()
    }


@pytest.fixture
def sent(learner: ApiUser, course, lesson_id: str, events, app) -> dict[str, dict[str, Any]]:
    """One event of each type, as the relay sends it."""
    learner.post(f"/api/courses/{course['course_id']}/enroll")
    learner.post(f"/api/lessons/{lesson_id}/complete")
    (quiz,) = learner.get(f"/api/lessons/{lesson_id}").json()["quizzes"]
    learner.post(f"/api/quizzes/{quiz['id']}/attempts", {"client_attempt_id": "a", "answers": []})
    attempt = app.state.mongo.collection(QUIZ_ATTEMPTS).find_one()["outbox"]
    all_events = [*events(), json.loads(json.dumps(attempt, default=str))]
    return {event["type"]: event for event in all_events}


@pytest.mark.parametrize(
    "kind", ["course.imported", "enrollment.created", "lesson.completed", "quiz.attempted"]
)
def test_event_has_the_shape_of_its_sample(sent, kind: str) -> None:
    sample = json.loads((SAMPLES / f"{kind}.json").read_text())
    assert shape(sent[kind]) == shape(sample)
