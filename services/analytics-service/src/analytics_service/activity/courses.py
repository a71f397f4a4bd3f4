"""Whose course it is: courses-service knows, and is asked as the user."""

from uuid import UUID

from pydantic import BaseModel, ValidationError

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import NotFound, Unauthorized, Unavailable
from cogniflow_kit.identity import User


class CourseView(BaseModel):
    """The part of a course that matters here."""

    instructor_id: UUID | None = None


class CourseOwnership:
    def __init__(self, courses: ServiceClient) -> None:
        self._courses = courses

    def require(self, course_id: UUID, user: User) -> None:
        """Return for an admin and the course's own instructor.

        Raises NotFound for anybody else and for a course that doesn't exist,
        Unavailable when courses-service can't say.
        """
        answer = self._courses.get_as_user(f"/api/courses/{course_id}", user.token)
        if answer.status_code == 404:
            raise NotFound("There is no such course among yours.")
        if answer.status_code == 401:
            raise Unauthorized("The access token has expired; log in again.")
        if answer.status_code != 200:
            raise Unavailable(f"courses-service answered {answer.status_code}; try again shortly.")
        try:
            course = CourseView.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("courses-service gave an answer that can't be read.") from error
        if user.role != "admin" and course.instructor_id != user.id:
            raise NotFound("There is no such course among yours.")
