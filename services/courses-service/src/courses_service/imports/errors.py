"""Errors of the import routes."""

from uuid import UUID

from cogniflow_kit.errors import Conflict, NotFound


class AlreadyImported(Conflict):
    """The same instructor has imported the same archive. `Location` and the message name its course."""

    code = "already_imported"

    def __init__(self, course_id: UUID) -> None:
        super().__init__(
            f"You imported this very archive before, as course {course_id}.",
            headers={"Location": f"/api/courses/{course_id}"},
        )


class NotImported(NotFound):
    """The course was not created by an import."""

    code = "not_imported"

    def __init__(self) -> None:
        super().__init__("This course wasn't imported from an archive.")
