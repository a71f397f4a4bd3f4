"""Client of courses-service: access to courses, their versions and the text of their lessons.

Reads only the fields that the tutor uses; others may change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from pydantic import BaseModel

from chat_service.tutor.errors import NotEnrolled
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.identity import User

LESSONS_SCOPE = "lessons:read"
_PAGE = 100


@dataclass(frozen=True)
class Course:
    """A course that the user may ask about."""

    id: UUID
    version: int
    title: str


class Lesson(BaseModel):
    """`text`: plain text with blank lines between paragraphs."""

    id: UUID
    title: str
    text: str


class CourseLessons(BaseModel):
    version: int
    title: str
    lessons: list[Lesson]


class CoursesClient:
    """Every method raises Unavailable when courses-service is down or answers unexpectedly."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def admit(self, course_id: UUID, user: User) -> Course:
        """Return the course if the user is enrolled in it or teaches it. Raises: NotEnrolled"""
        found = _body(self._client.get_as_user(f"/api/courses/{course_id}", user.token))
        if found is None:
            raise NotEnrolled
        teaches = found["instructor_id"] == str(user.id)
        if (
            not teaches
            and _body(self._client.get_as_user(f"/api/courses/{course_id}/progress", user.token)) is None
        ):
            raise NotEnrolled
        return Course(course_id, int(found["version"]), str(found["title"]))

    def lessons(self, course_id: UUID) -> CourseLessons | None:
        """Return the lessons of a course; None for a deleted course."""
        found = _body(self._client.get(f"/internal/courses/{course_id}/lessons", scope=LESSONS_SCOPE))
        return None if found is None else CourseLessons.model_validate(found)

    def versions(self) -> Iterator[tuple[UUID, int]]:
        """Yield every course id with the course's present version."""
        cursor: str | None = None
        while True:
            params = {"limit": _PAGE, **({"cursor": cursor} if cursor else {})}
            page = _body(self._client.get("/internal/courses", scope=LESSONS_SCOPE, params=params))
            if page is None:
                raise Unavailable("courses-service doesn't list its courses.")
            for item in page["items"]:
                yield UUID(item["id"]), int(item["version"])
            cursor = page["next_cursor"]
            if cursor is None:
                return


def _body(answer: httpx.Response) -> dict[str, Any] | None:
    if answer.status_code == 404:
        return None
    if answer.status_code != 200:
        raise Unavailable(f"courses-service refused this with {answer.status_code}; try again shortly.")
    found: dict[str, Any] = answer.json()
    return found
