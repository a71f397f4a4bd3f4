"""Refusals of the import routes."""

from uuid import UUID

from cogniflow_kit.errors import Conflict, NotFound


class AlreadyImported(Conflict):
    """The `Location` header and the detail name the course that came of it."""

    code = "already_imported"

    def __init__(self, course_id: UUID) -> None:
        super().__init__(
            f"You imported this very archive before, as course {course_id}.",
            headers={"Location": f"/api/courses/{course_id}"},
        )


class NotImported(NotFound):
    code = "not_imported"
