"""The worker delivers the events of both databases, each once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from api_users import ApiUser
from course_archives import targz

from cogniflow_dev.testing.servers import Call, json_server
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.events import EventSender
from courses_service.worker import build_worker


@pytest.fixture
def received() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def neighbors(received: list[dict[str, Any]]) -> Iterator[str]:
    """Stand-ins for users-service, which issues tokens, and analytics-service, which stores events."""

    def answer(call: Call) -> tuple[int, Any]:
        if call.path == "/internal/tokens":
            return 200, {"access_token": "a-token", "token_type": "bearer", "expires_in": 60}
        events = json.loads(call.body)["events"]
        received.extend(events)
        return 200, {"accepted": len(events), "rejected": []}

    with json_server(answer) as url:
        yield url


def test_every_event_is_delivered_once(settings, neighbors, committing_client, make_user, received) -> None:
    teacher: ApiUser = make_user(committing_client, "instructor")
    learner: ApiUser = make_user(committing_client)
    course_id = teacher.imports(targz())["course_id"]
    learner.post(f"/api/courses/{course_id}/enroll")
    outline = learner.get(f"/api/courses/{course_id}/outline").json()
    lesson = learner.get(f"/api/lessons/{outline['sections'][0]['lessons'][0]['id']}").json()
    learner.post(f"/api/lessons/{lesson['id']}/complete")
    learner.post(
        f"/api/quizzes/{lesson['quizzes'][0]['id']}/attempts", {"client_attempt_id": "a", "answers": []}
    )

    connected = settings.model_copy(update={"users_url": neighbors, "analytics_url": neighbors})
    worker = build_worker(connected)
    deliver = EventSender(ServiceClient(connected, "analytics-service", neighbors))
    for _ in range(2):
        for outbox in worker.outboxes:
            outbox.relay_batch(deliver)
    worker.database.close()
    assert sorted(event["type"] for event in received) == [
        "course.imported",
        "enrollment.created",
        "lesson.completed",
        "quiz.attempted",
    ]
    assert {event["actor_id"] for event in received} == {str(teacher.id), str(learner.id)}
