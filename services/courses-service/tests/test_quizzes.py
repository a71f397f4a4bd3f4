"""Quiz attempts over HTTP, stored in MongoDB."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from api_users import ApiUser
from course_archives import targz, with_vertical

from courses_service.indexes import QUIZ_ATTEMPTS

QUESTIONS = """
<html>Text</html>
<problem display_name="Two questions">
  <multiplechoiceresponse><label>1 + 1?</label><choicegroup>
    <choice correct="false">1<choicehint>Too few.</choicehint></choice><choice correct="true">2</choice>
  </choicegroup><solution><p>It is 2.</p></solution></multiplechoiceresponse>
  <choiceresponse><label>Even?</label><checkboxgroup>
    <choice correct="true">2</choice><choice correct="false">3</choice><choice correct="true">4</choice>
  </checkboxgroup></choiceresponse>
</problem>
"""


@pytest.fixture
def lesson(teacher: ApiUser, learner: ApiUser) -> dict[str, Any]:
    """A lesson with a quiz of two questions, in a course that the learner is enrolled in."""
    course_id = teacher.imports(targz(with_vertical(QUESTIONS)))["course_id"]
    learner.post(f"/api/courses/{course_id}/enroll")
    outline = learner.get(f"/api/courses/{course_id}/outline").json()
    read: dict[str, Any] = learner.get(f"/api/lessons/{outline['sections'][0]['lessons'][0]['id']}").json()
    return read


@pytest.fixture
def quiz(lesson) -> dict[str, Any]:
    return lesson["quizzes"][0]


@pytest.fixture
def path(quiz) -> str:
    return f"/api/quizzes/{quiz['id']}/attempts"


def answers(quiz: dict[str, Any], *chosen: tuple[int, ...]) -> list[dict[str, Any]]:
    """Answers that choose these positions in each question."""
    return [
        {"question_id": question["id"], "choice_ids": [question["choices"][n]["id"] for n in numbers]}
        for question, numbers in zip(quiz["questions"], chosen, strict=False)
    ]


def attempt(quiz: dict[str, Any], *chosen: tuple[int, ...], client_id: str = "a-1") -> dict[str, Any]:
    return {"client_attempt_id": client_id, "answers": answers(quiz, *chosen)}


@pytest.fixture
def stored_attempts(app):
    """The attempts in MongoDB."""
    return lambda: list(app.state.mongo.collection(QUIZ_ATTEMPTS).find().sort("_id"))


def test_requests_without_token_are_unauthorized(client) -> None:
    assert client.post(f"/api/quizzes/{uuid4()}/attempts", json={}).status_code == 401
    assert client.get(f"/api/quizzes/{uuid4()}/attempts").status_code == 401


def test_attempts_require_enrollment(client, make_user, quiz, path, stored_attempts) -> None:
    other_user = make_user(client)
    assert other_user.post(path, attempt(quiz, (1,))).json()["code"] == "enrollment_required"
    assert other_user.get(path).json()["code"] == "enrollment_required"
    unknown = f"/api/quizzes/{uuid4()}/attempts"
    assert other_user.post(unknown, attempt(quiz, (1,))).json()["code"] == "quiz_not_found"
    assert stored_attempts() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda body, quiz: body.pop("client_attempt_id"),
        lambda body, quiz: body.update(client_attempt_id="with space"),
        lambda body, quiz: body.update(client_attempt_id="x" * 65),
        lambda body, quiz: body.update(score=2),
        lambda body, quiz: body.update(answers="all"),
        lambda body, quiz: body["answers"][0].update(question_id=str(uuid4())),
        lambda body, quiz: body["answers"][0].update(choice_ids=[str(uuid4())]),
        lambda body, quiz: body["answers"][0].update(
            choice_ids=[c["id"] for c in quiz["questions"][1]["choices"]]
        ),
        lambda body, quiz: body["answers"][0].update(
            choice_ids=[c["id"] for c in quiz["questions"][0]["choices"]]
        ),
        lambda body, quiz: body["answers"][1].update(
            choice_ids=[quiz["questions"][1]["choices"][0]["id"]] * 2
        ),
        lambda body, quiz: body["answers"].append(body["answers"][0]),
        lambda body, quiz: body.update(answers=body["answers"] * 60),
    ],
    ids=[
        *("no id", "spaced id", "long id", "own score", "no list", "foreign question", "unknown choice"),
        *("foreign choice", "two for one", "choice twice", "question twice", "too many"),
    ],
)
def test_invalid_attempts_are_refused_and_not_stored(
    learner: ApiUser, quiz, path, stored_attempts, change
) -> None:
    body = attempt(quiz, (1,), (0, 2))
    change(body, quiz)
    answer = learner.post(path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert stored_attempts() == []


def test_attempt_is_graded_with_feedback(learner: ApiUser, quiz, path) -> None:
    answer = learner.post(path, attempt(quiz, (0,), (0, 2)))
    assert answer.status_code == 201
    result = answer.json()
    assert (result["score"], result["max_score"]) == (1, 2)
    first, second = result["results"]
    assert (first["correct"], second["correct"]) == (False, True)
    assert first["correct_ids"] == [quiz["questions"][0]["choices"][1]["id"]]
    assert [note["feedback"] for note in first["feedback"]] == ["Too few."]
    assert first["explanation"] == "<p>It is 2.</p>"
    assert len(second["correct_ids"]) == 2


@pytest.mark.parametrize(
    ("chosen", "score"),
    [(((1,), (0, 2)), 2), (((1,), (0,)), 1), (((1,), (0, 1, 2)), 1), (((), ()), 0), ((), 0)],
    ids=["all right", "one missing", "one too many", "nothing chosen", "not answered"],
)
def test_score_requires_all_correct_choices_and_no_other(learner: ApiUser, quiz, path, chosen, score) -> None:
    assert learner.post(path, attempt(quiz, *chosen)).json()["score"] == score


def test_repeated_attempt_returns_the_first_result(learner: ApiUser, quiz, path, stored_attempts) -> None:
    first = learner.post(path, attempt(quiz, (1,), (0, 2)))
    again = learner.post(path, attempt(quiz, (1,), (0, 2)))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() | {"submitted_at": again.json()["submitted_at"]}
    other = learner.post(path, attempt(quiz, (0,), (0, 2)))
    assert (other.status_code, other.json()["code"]) == (409, "attempt_id_reused")
    assert len(stored_attempts()) == 1


def test_two_learners_may_use_the_same_client_attempt_id(
    learner, client, make_user, lesson, quiz, path, stored_attempts
) -> None:
    other = make_user(client)
    other.post(f"/api/courses/{lesson['course_id']}/enroll")
    for user in (learner, other):
        assert user.post(path, attempt(quiz, (1,))).status_code == 201
    assert len(stored_attempts()) == 2


def test_own_attempts_are_paginated(learner, teacher, quiz, path) -> None:
    made = [learner.post(path, attempt(quiz, (1,), client_id=f"a-{n}")).json()["id"] for n in range(3)]
    teacher.post(path, attempt(quiz, (1,)))
    page = learner.get(path, params={"limit": 2}).json()
    rest = learner.get(path, params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None


def test_event_is_stored_in_the_attempt_document(
    learner: ApiUser, lesson, quiz, path, stored_attempts
) -> None:
    result = learner.post(path, attempt(quiz, (1,), (0, 2))).json()
    (document,) = stored_attempts()
    assert document["outbox_pending"] is True
    assert document["outbox"]["type"] == "quiz.attempted"
    assert document["outbox"]["actor_id"] == learner.id
    assert document["outbox"]["data"] == {
        "course_id": lesson["course_id"],
        "lesson_id": lesson["id"],
        "quiz_id": quiz["id"],
        "attempt_id": result["id"],
        "score": 2,
        "max_score": 2,
    }


def test_attempt_stored_by_the_first_release_can_be_read(app, learner: ApiUser, quiz, path) -> None:
    """The document has the form of release 0.1.0. Never change it: such documents exist."""
    question_id, choice_id, attempt_id = uuid4(), uuid4(), uuid4()
    ids = {name: UUID(value) for name, value in (("quiz_id", quiz["id"]), ("lesson_id", str(uuid4())))}
    app.state.mongo.collection(QUIZ_ATTEMPTS).insert_one(
        {
            "_id": attempt_id,
            "user_id": learner.id,
            "course_id": uuid4(),
            **ids,
            "course_version": 3,
            "client_attempt_id": "old",
            "answers": [{"question_id": question_id, "choice_ids": [choice_id]}],
            "score": 1,
            "max_score": 1,
            "results": [
                {
                    "question_id": question_id,
                    "correct": True,
                    "chosen_ids": [choice_id],
                    "correct_ids": [choice_id],
                    "feedback": [{"choice_id": choice_id, "feedback": "Yes."}],
                    "explanation": "<p>So.</p>",
                }
            ],
            "submitted_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "outbox": {"type": "quiz.attempted"},
        }
    )
    (item,) = learner.get(path).json()["items"]
    assert (item["id"], item["score"], item["client_attempt_id"]) == (str(attempt_id), 1, "old")
    assert item["results"][0]["feedback"] == [{"choice_id": str(choice_id), "feedback": "Yes."}]
    body = {
        "client_attempt_id": "old",
        "answers": [{"question_id": str(question_id), "choice_ids": [str(choice_id)]}],
    }
    repeated = learner.post(path, body)
    assert (repeated.status_code, repeated.json()) == (200, item)
