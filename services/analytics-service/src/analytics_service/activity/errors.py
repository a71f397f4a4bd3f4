"""Errors of the course analytics routes. The first three answer for courses-service."""

from cogniflow_kit.errors import NotFound, Unauthorized, Unavailable


class CourseNotFound(NotFound):
    """The course does not exist, or does not belong to the user."""

    def __init__(self) -> None:
        super().__init__("There is no such course among yours.")


class AccessTokenExpired(Unauthorized):
    """courses-service refused the user's token, which this service had accepted just before."""

    def __init__(self) -> None:
        super().__init__("The access token has expired; log in again.")


class UnexpectedCoursesResponse(Unavailable):
    """courses-service answered with an unexpected status or body."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(
            f"courses-service answered {status}; try again shortly."
            if status is not None
            else "courses-service gave an answer that can't be read."
        )
