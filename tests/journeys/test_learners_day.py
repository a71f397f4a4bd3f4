"""A learner's day over HTTP; then every process is killed, and everything acknowledged is there, once."""

import io
import tarfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cogniflow_dev.testing.stacks import RunningStack

OPENEDX_DEMO = Path(__file__).parents[3] / "shared/data/olx/openedx-demo-course.tar.gz"
PASSWORD = "a quiet walk at noon"
QUESTION = "How does spacing practice over time help me remember?"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]


class Person:
    """Somebody at the gateway. Logs in again when asked to."""

    def __init__(self, address: str, username: str, password: str) -> None:
        self.username, self.password = username, password
        self.http = httpx.Client(base_url=address, timeout=60)
        self.log_in()

    def log_in(self) -> None:
        form = {"username": self.username, "password": self.password}
        tokens = self.http.post("/api/auth/token", data=form).raise_for_status().json()
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.refresh_token = tokens["refresh_token"]

    def get(self, path: str, **params: Any) -> Any:
        return self.http.get(path, params=params).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.http.post(path, json=body).raise_for_status()
        return answer.json() if answer.content else None

    def all(self, path: str) -> list[Any]:
        """Every item of a paged list."""
        page = self.get(path, limit=100)
        items = page["items"]
        while page["next_cursor"]:
            page = self.get(path, limit=100, cursor=page["next_cursor"])
            items += page["items"]
        return items


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


def eventually(found: Callable[[], Any], wanted: Any, within_s: float = 30) -> None:
    """Facts travel by the outbox: wait until they have arrived, and fail with what there is."""
    deadline = time.monotonic() + within_s
    while (seen := found()) != wanted and time.monotonic() < deadline:
        time.sleep(0.25)
    assert seen == wanted


def small_course() -> bytes:
    """For checkouts without the Open edX demo course beside them."""
    files = {
        "course/course.xml": '<course org="o" course="c" url_name="r"/>',
        "course/course/r.xml": '<course display_name="Small"><chapter url_name="a"/></course>',
        "course/chapter/a.xml": '<chapter display_name="A"><sequential url_name="b"/></chapter>',
        "course/sequential/b.xml": '<sequential display_name="B"><vertical url_name="v"/></sequential>',
        "course/vertical/v.xml": '<vertical display_name="V"><html url_name="h"/></vertical>',
        "course/html/h.xml": '<html filename="h" display_name="H"/>',
        "course/html/h.html": "<p>Spacing practice over time helps to remember.</p>",
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return archive.getvalue()


class LearnersDay:
    """What Maja does, and what was acknowledged to her."""

    def __init__(self, stack: RunningStack) -> None:
        self.address = stack.address
        self.name = f"maja-{uuid4().hex[:8]}"
        self.instructor = Person(stack.address, "instructor", stack.logins["instructor"])

    def register(self) -> None:
        account = {
            "username": self.name,
            "email": f"{self.name}@example.org",
            "full_name": "Maja Novak",
            "password": PASSWORD,
        }
        httpx.post(f"{self.address}/api/auth/register", json=account).raise_for_status()
        self.maja = Person(self.address, self.name, PASSWORD)
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
        slug = self.maja.get("/api/programs")["items"][0]["slug"]
        self.session_id = self.maja.post(f"/api/programs/{slug}/start")["id"]
        self.answer_text = (
            "I learned that a goal needs a first small step, and I will plan one for Monday morning."
        )
        answer = {"text": self.answer_text, "client_message_id": str(uuid4())}
        path = f"/api/programs/sessions/{self.session_id}/answer"
        first = self.maja.post(path, **answer)
        assert self.maja.post(path, **answer) == first
        self.session = self.maja.get(f"/api/programs/sessions/{self.session_id}")
        assert self.answer_text in str(self.session)

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
        assert maja.get(f"/api/programs/sessions/{self.session_id}") == self.session
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
    stored = day.messages()
    answered = Counter(turn["client_message_id"] for turn in stored if turn["status"] == "completed")
    acknowledged = [day.first_message_id, *writer.acknowledged]
    assert [answered[message_id] for message_id in acknowledged] == [1] * len(acknowledged)
    assert set(answered.values()) == {1}
    turns = [turn["sequence"] for turn in stored]
    assert turns == list(range(1, len(turns) + 1))

    expected = {
        "user.registered": 1,
        "user.logged_in": 2,
        "enrollment.created": 1,
        "lesson.completed": 2,
        "tutor.turn_completed": len(answered),
        "program.started": 1,
        "program.answer_completed": 1,
    }
    eventually(lambda: dict(stack.logged_facts(day.me["id"])), expected)
