"""A learner's day over HTTP; then every process is killed, and everything acknowledged is there, once."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
from coaching import CoachEngine
from gateway_people import PASSWORD, Person, eventually, register
from small_course import small_course
from visitor import Visitor, finish_the_intake

from cogniflow_dev.testing.stacks import RunningStack

OPENEDX_DEMO = Path(__file__).parents[3] / "shared/data/olx/openedx-demo-course.tar.gz"
QUESTION = "How does spacing practice over time help me remember?"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]


@dataclass
class Writer:
    """Goes on talking to the tutor until the plug is pulled; remembers what was acknowledged."""

    person: Person
    course_id: str
    conversation_id: str
    acknowledged: list[str] = field(default_factory=list)
    _stopped: Event = field(default_factory=Event)

    def run(self) -> None:
        while not self._stopped.is_set():
            message_id = str(uuid4())
            message = {
                "message": QUESTION,
                "course_id": self.course_id,
                "conversation_id": self.conversation_id,
                "client_message_id": message_id,
            }
            try:
                self.person.http.post("/api/chat/message", json=message).raise_for_status()
            except httpx.HTTPError:
                return
            self.acknowledged.append(message_id)

    def stop(self) -> None:
        self._stopped.set()


class LearnersDay:
    """What Maja does, and what was acknowledged to her."""

    def __init__(self, stack: RunningStack) -> None:
        self.address = stack.address
        self.instructor = Person(stack.address, "instructor", stack.logins["instructor"])

    def register(self) -> None:
        self.maja = register(self.address, "maja", "Maja Novak")
        self.me = self.maja.get("/api/users/me")
        assert self.me["role"] == "student"
        assert any(user["id"] == self.me["id"] for user in self.instructor.all("/api/users/"))
        assert self.maja.get("/.well-known/jwks.json")["keys"]

    def import_a_course(self) -> None:
        archive = OPENEDX_DEMO.read_bytes() if OPENEDX_DEMO.exists() else small_course()
        title = "Open edX Demo Course" if OPENEDX_DEMO.exists() else "Small"
        upload = {"file": ("course.tar.gz", archive, "application/gzip")}
        answer = self.instructor.http.post("/api/courses/import", files=upload)
        if answer.status_code == 201:
            report = answer.json()
            assert report["counts"]["lessons"] > 0
            assert all(left["reason"] for left in report["not_taken_over"])
        else:
            # A stack that has seen this journey before knows the archive.
            assert answer.json()["code"] == "already_imported"
        courses = self.instructor.all("/api/courses")
        self.imported_id = next(course["id"] for course in courses if course["title"] == title)

    def choose_a_course(self) -> None:
        """The bundled course, which the tutor's question is about."""
        courses = {course["slug"]: course["id"] for course in self.maja.all("/api/courses")}
        self.course_id = courses["how-memory-works"]

    def study(self) -> None:
        course = f"/api/courses/{self.course_id}"
        assert self.maja.http.get(f"{course}/progress").status_code == 404
        self.maja.post(f"{course}/enroll")
        outline = self.maja.get(f"{course}/outline")
        self.lesson_ids = [lesson["id"] for section in outline["sections"] for lesson in section["lessons"]]
        for lesson_id in self.lesson_ids[:2]:
            assert self.maja.get(f"/api/lessons/{lesson_id}")["html"]
            self.maja.post(f"/api/lessons/{lesson_id}/complete")
        self.progress = self.maja.get(f"{course}/progress")
        assert self.progress["completed_lessons"] == 2

    def see_an_edit_at_once(self) -> None:
        outline = self.instructor.get(f"/api/courses/{self.imported_id}/outline")
        self.edited = f"/api/lessons/{outline['sections'][0]['lessons'][0]['id']}"
        self.new_title = f"Edited {uuid4().hex[:6]}"
        assert self.instructor.get(self.edited)["title"] != self.new_title
        self.instructor.http.patch(self.edited, json={"title": self.new_title}).raise_for_status()
        assert self.instructor.get(self.edited)["title"] == self.new_title

    def ask_the_tutor(self) -> None:
        message = {"message": QUESTION, "course_id": self.course_id, "client_message_id": str(uuid4())}
        self.turn = self.maja.post("/api/chat/message", **message)
        assert self.turn["answer"]
        assert {citation["lesson_id"] for citation in self.turn["citations"]} <= set(self.lesson_ids)
        assert self.turn["citations"]
        assert self.maja.post("/api/chat/message", **message) == self.turn
        self.first_message_id = message["client_message_id"]
        self.conversation_id = self.turn["conversation_id"]

    def talk_with_nova(self) -> None:
        self.coaching = CoachEngine(self.maja)
        self.coaching.begin_the_first_week()
        self.coaching.go_on_elsewhere(Person(self.address, self.maja.username, PASSWORD))
        self.coaching.read_the_first_week_back()
        self.coaching.do_the_first_week_again()
        self.coaching.speak()
        self.coaching.take_it_home()

    def ask_for_support_without_an_account(self) -> None:
        self.visitor = Visitor(self.address)
        self.visitor.tell()
        self.visitor.be_in_distress()

    def make_the_visit_her_own(self) -> None:
        self.visitor.come_back()
        self.intake = self.visitor.claim(self.maja)
        finish_the_intake(self.intake)
        listed = {session["id"] for session in self.maja.all("/api/programs/sessions")}
        assert listed == {self.coaching.session.id, self.intake.id}

    def is_seen_in_the_activity(self) -> None:
        def counts() -> dict[str, bool]:
            activity = self.instructor.get(f"/api/analytics/courses/{self.course_id}/activity")
            return {kind: activity["by_type"].get(kind, 0) >= n for kind, n in wanted.items()}

        wanted = {"enrollment.created": 1, "lesson.completed": 2, "tutor.turn_completed": 1}
        eventually(counts, dict.fromkeys(wanted, True))
        online = {user["user_id"] for user in self.instructor.get("/api/presence")["users"]}
        assert self.me["id"] in online

    def check_everything_is_still_there(self) -> None:
        maja = self.maja
        assert maja.http.post("/api/auth/refresh", json={"refresh_token": maja.refresh_token}).is_success
        maja.log_in()
        self.instructor.log_in()
        assert maja.get("/api/users/me")["id"] == self.me["id"]
        assert self.imported_id in {course["id"] for course in maja.all("/api/courses")}
        assert maja.get(f"/api/courses/{self.course_id}/progress") == self.progress
        assert self.instructor.get(self.edited)["title"] == self.new_title
        self.coaching.is_all_there()
        assert [talk["id"] for talk in maja.all("/api/chat/conversations")] == [self.conversation_id]

    def messages(self) -> list[dict[str, Any]]:
        return self.maja.all(f"/api/chat/conversations/{self.conversation_id}/messages")


def test_a_learners_day_survives_kill(stack: RunningStack) -> None:
    day = LearnersDay(stack)
    day.register()
    day.import_a_course()
    day.choose_a_course()
    day.study()
    day.see_an_edit_at_once()
    day.ask_the_tutor()
    day.talk_with_nova()
    day.ask_for_support_without_an_account()
    day.is_seen_in_the_activity()

    writer = Writer(day.maja, day.course_id, day.conversation_id)
    talking = Thread(target=writer.run)
    talking.start()
    while len(writer.acknowledged) < 5 and talking.is_alive():
        time.sleep(0.05)
    killed = stack.kill()
    writer.stop()
    talking.join(timeout=90)
    assert {"postgres", "mongo", "redis", "chat-service", "users-service"} <= set(killed)
    assert len(writer.acknowledged) >= 5
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{day.address}/health", timeout=2)

    stack.start()
    day.check_everything_is_still_there()
    day.make_the_visit_her_own()
    stored = day.messages()
    answered = Counter(turn["client_message_id"] for turn in stored if turn["status"] == "completed")
    acknowledged = [day.first_message_id, *writer.acknowledged]
    assert [answered[message_id] for message_id in acknowledged] == [1] * len(acknowledged)
    assert set(answered.values()) == {1}
    turns = [turn["sequence"] for turn in stored]
    assert turns == list(range(1, len(turns) + 1))

    expected = {
        "user.registered": 1,
        "user.logged_in": 3,
        "enrollment.created": 1,
        "lesson.completed": 2,
        "tutor.turn_completed": len(answered),
        # What she said before the visit was hers is nobody's.
        "program.started": 1,
        "program.answer_completed": day.coaching.session.attempts + day.intake.attempts,
    }
    eventually(lambda: dict(stack.logged_events(day.me["id"])), expected)
