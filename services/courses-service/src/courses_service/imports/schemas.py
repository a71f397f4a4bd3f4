"""Bodies of the import routes."""

from datetime import datetime
from uuid import UUID

from cogniflow_kit.schemas import ResponseBody


class Counts(ResponseBody):
    """What the course got out of the archive; `blocks` are the archive's own units."""

    sections: int
    lessons: int
    quizzes: int
    questions: int
    blocks: int


class NotTakenOverOut(ResponseBody):
    """`location` is "section / subsection / unit", empty for what has no place in the outline."""

    kind: str
    name: str
    location: str
    reason: str


class ImportReportOut(ResponseBody):
    """`source` names the course as Open edX does: organization+number+run."""

    course_id: UUID
    title: str
    source: str
    archive_sha256: str
    imported_at: datetime
    counts: Counts
    not_taken_over: list[NotTakenOverOut]
