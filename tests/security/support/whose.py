"""Examples of people's data, made through the services themselves, for asking who else may see them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

from course_archives import targz
from four_services import FourServices, Person
from service_routes import Operation

SESSION_KEY = "X-Session-Key"


@dataclass(frozen=True)
class Belonging:
    """`ids` fill the places in an address, and in the bodies below; `headers` say more than the token."""

    owner: Person
    ids: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)


# What a route needs besides its address; `ids` are those of the example.
BODIES: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
    "PATCH /api/courses/{course_id}": lambda _: {"title": "Another title"},
    "PATCH /api/lessons/{lesson_id}": lambda _: {"title": "Another title"},
    "POST /api/quizzes/{quiz_id}/attempts": lambda _: {"client_attempt_id": str(uuid4()), "answers": []},
    "POST /api/programs/sessions/{session_id}/answer": lambda _: {
        "text": "I would like to lead a small team one day.",
        "client_message_id": str(uuid4()),
    },
    "POST /api/programs/sessions/{session_id}/weeks/{number}/restart": lambda _: {
        "client_message_id": str(uuid4())
    },
    "POST /api/chat/message": lambda ids: {
        "message": "What is said in this course?",
        "course_id": ids["course_id"],
        "client_message_id": str(uuid4()),
    },
}


def body_of(operation: Operation, ids: dict[str, str]) -> dict[str, Any] | None:
    make = BODIES.get(f"{operation.method} {operation.path}")
    return make(ids) if make else None


def begin_anonymously(platform: FourServices) -> dict[str, Any]:
    """A session of the support intake, with its key."""
    answer = platform.call("chat", "POST", "/api/programs/support-intake/start-anonymously")
    assert answer.status_code == 201, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


class Belongings:
    """One of each kind, made when it is first asked for. Its attributes are the names in access.md."""

    def __init__(self, platform: FourServices) -> None:
        self._platform = platform

    def find(self, name: str) -> Belonging:
        """Raises AttributeError for a name in the table that nobody makes here."""
        found: Belonging = getattr(self, name)
        return found

    @cached_property
    def teacher(self) -> Person:
        return self._platform.person("instructor")

    @cached_property
    def learner(self) -> Person:
        return self._platform.person("student")

    @cached_property
    def course(self) -> Belonging:
        """Published, with a lesson and a quiz; its instructor's."""
        files = {"file": ("course.tar.gz", targz(), "application/gzip")}
        course_id = self._made("courses", "POST", "/api/courses/import", self.teacher, files=files)[
            "course_id"
        ]
        outline = self._made("courses", "GET", f"/api/courses/{course_id}/outline", self.teacher)
        lesson_id = outline["sections"][0]["lessons"][0]["id"]
        lesson = self._made("courses", "GET", f"/api/lessons/{lesson_id}", self.teacher)
        ids = {"course_id": course_id, "lesson_id": lesson_id, "quiz_id": lesson["quizzes"][0]["id"]}
        return Belonging(self.teacher, ids)

    @cached_property
    def draft(self) -> Belonging:
        """A course that isn't published yet; its instructor's."""
        made = self._made("courses", "POST", "/api/courses", self.teacher, json={"title": "A draft"})
        return Belonging(self.teacher, {"course_id": made["id"]})

    @cached_property
    def enrollment(self) -> Belonging:
        """In a published course; a learner's."""
        self._made("courses", "POST", f"/api/courses/{self.course.ids['course_id']}/enroll", self.learner)
        return Belonging(self.learner, self.course.ids)

    @cached_property
    def conversation(self) -> Belonging:
        """With the tutor; a learner's."""
        body = BODIES["POST /api/chat/message"](self.enrollment.ids)
        said = self._made("chat", "POST", "/api/chat/message", self.learner, json=body)
        return Belonging(self.learner, {"conversation_id": said["conversation_id"]})

    @cached_property
    def program(self) -> Belonging:
        """A session of a program; a learner's."""
        started = self._made("chat", "POST", "/api/programs/driven/start", self.learner, json={"name": "Lea"})
        return Belonging(self.learner, {"session_id": started["id"], "number": "1"})

    @cached_property
    def visit(self) -> Belonging:
        """A session that a learner began without their account, and whose key they still have."""
        begun = begin_anonymously(self._platform)
        ids = {"session_id": begun["session"]["id"], "number": "1"}
        return Belonging(self.learner, ids, {SESSION_KEY: begun["session_key"]})

    @cached_property
    def login(self) -> Belonging:
        """On another device; a learner's."""
        assert self._platform.log_in(self.learner.username).is_success
        sessions = self._made("users", "GET", "/api/auth/sessions", self.learner)
        return Belonging(self.learner, {"session_id": sessions["items"][0]["id"]})

    @cached_property
    def export(self) -> Belonging:
        """An archive of what is held on a learner, being made."""
        made = self._made("users", "POST", "/api/privacy/export", self.learner)
        return Belonging(self.learner, {"export_id": made["id"]})

    def _made(self, service: str, method: str, path: str, person: Person, **kwargs: Any) -> Any:
        answer = self._platform.call(service, method, path, headers=person.headers, **kwargs)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()
