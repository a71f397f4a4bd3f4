"""Errors of the tutor feature."""

from cogniflow_kit.errors import Conflict, NotFound, Unavailable


class NotEnrolled(NotFound):
    """Also raised for a course that does not exist."""

    code = "not_enrolled"

    def __init__(self) -> None:
        super().__init__("You are not enrolled in such a course; enroll first, then ask about it.")


class ConversationNotFound(NotFound):
    code = "conversation_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such conversation.")


class OtherCourse(Conflict):
    code = "conversation_of_other_course"

    def __init__(self) -> None:
        super().__init__(
            "This conversation is about another course; begin a new one without conversation_id."
        )


class CourseNotReady(Unavailable):
    code = "course_not_ready"

    def __init__(self) -> None:
        super().__init__("The tutor is still reading this course; ask again in a moment.", retry_after_s=5)
