"""Asks courses-service, with the user's own token, whether a course belongs to the user."""

from uuid import UUID

from pydantic import BaseModel, ValidationError

from analytics_service.activity.errors import (
    AccessTokenExpired,
    CourseNotFound,
    UnexpectedCoursesResponse,
)
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.identity import User


class CoursePayload(BaseModel):
    """The fields of courses-service's response that are used here."""

    instructor_id: UUID | None = None


class CourseOwnership:
    def __init__(self, courses: ServiceClient) -> None:
        self._courses = courses

    def require(self, course_id: UUID, user: User) -> None:
        """Return for an admin and for the course's instructor.

        Raises: CourseNotFound (also for other users); AccessTokenExpired;
        Unavailable (courses-service does not answer); UnexpectedCoursesResponse.
        """
        response = self._courses.get_as_user(f"/api/courses/{course_id}", user.token)
        if response.status_code == 404:
            raise CourseNotFound
        if response.status_code == 401:
            raise AccessTokenExpired
        if response.status_code != 200:
            raise UnexpectedCoursesResponse(response.status_code)
        try:
            course = CoursePayload.model_validate_json(response.content)
        except ValidationError as error:
            raise UnexpectedCoursesResponse from error
        if user.role != "admin" and course.instructor_id != user.id:
            raise CourseNotFound
