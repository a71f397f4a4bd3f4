"""Response bodies of the import routes."""

from datetime import datetime
from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class Counts(ResponseBody):
    """Numbers of what was imported. `blocks`: blocks of the archive, of every kind."""

    sections: int
    lessons: int
    quizzes: int
    questions: int
    blocks: int


class NotTakenOverOut(ResponseBody):
    """`location` is "section / subsection / unit", empty for what is not part of the outline."""

    kind: str
    name: str
    location: str
    reason: str


class ImportReportOut(ResponseBody):
    """`source` identifies the course in Open edX: organization+number+run."""

    course_id: UUID
    title: str
    source: str
    archive_sha256: str
    imported_at: datetime
    counts: Counts
    not_taken_over: list[NotTakenOverOut]
