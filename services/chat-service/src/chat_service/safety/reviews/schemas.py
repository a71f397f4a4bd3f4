"""Bodies of the safety routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from chat_service.safety.detection.risk import Category, Severity, Subject
from chat_service.safety.help.places import Resource
from cogniflow_kit.schemas import RequestBody, ResponseBody

Status = Literal["open", "closed"]
Outcome = Literal["no_action", "contacted", "referred", "false_alarm"]
MAX_NOTE_CHARACTERS = 2000


class HelpOut(ResponseBody):
    """`language`: the one that the places are described in."""

    language: str
    resources: list[Resource]


class ReviewOut(ResponseBody):
    """A detection and what came of it. No word of the message is in it."""

    id: UUID
    status: Status
    outcome: Outcome | None
    category: Category
    severity: Severity
    subject: Subject
    program: str
    detected_at: datetime
    opened_at: datetime
    closed_at: datetime | None


class ReviewDetail(ReviewOut):
    """With whom to contact: the account, null for somebody who takes part without one."""

    session_id: UUID
    user_id: UUID | None
    note: str | None
    reviewer_id: UUID | None


class CloseReview(RequestBody):
    """`note`: what was done, for later reviewers; not for what the person wrote."""

    outcome: Outcome
    note: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NOTE_CHARACTERS)]
        | None
    ) = None
