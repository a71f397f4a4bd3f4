"""The queue of detections for people to look at. Whoever looks is written down."""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, Select, case, func, select, update
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.safety.detection.risk import Severity
from chat_service.safety.reviews.schemas import Outcome, ReviewDetail, ReviewOut, Status
from cogniflow_kit.errors import Conflict, NotFound


class ReviewNotFound(NotFound):
    code = "review_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such review.")


class ReviewClosed(Conflict):
    code = "review_closed"

    def __init__(self) -> None:
        super().__init__("This review was closed with another outcome or note, which stay.")


class Reviews:
    """Reviews as one reviewer works with them, within the request's transaction."""

    def __init__(self, session: Session, reviewer_id: UUID) -> None:
        self._session = session
        self._reviewer_id = reviewer_id

    def page(
        self, status: Status | None, severity: Severity | None, after: UUID | None, limit: int
    ) -> list[ReviewOut]:
        """The longest waiting first, one more than `limit` when there is more."""
        reviews = _reviews().order_by(tables.RiskReview.review_id).limit(limit + 1)
        if status is not None:
            reviews = reviews.where(tables.RiskReview.status == status)
        if severity is not None:
            reviews = reviews.where(tables.RiskDetection.severity == severity)
        if after is not None:
            reviews = reviews.where(tables.RiskReview.review_id > after)
        self._record("listed")
        return [ReviewOut.model_validate(row) for row in self._session.execute(reviews)]

    def read(self, review_id: UUID) -> ReviewDetail:
        """Raises ReviewNotFound."""
        row = self._find(review_id)
        self._record("read", review_id)
        return ReviewDetail.model_validate(row)

    def close(self, review_id: UUID, outcome: Outcome, note: str | None) -> ReviewDetail:
        """Close it once; the same again changes nothing. Raises ReviewNotFound and ReviewClosed."""
        closing = update(tables.RiskReview).where(
            tables.RiskReview.review_id == review_id, tables.RiskReview.status == "open"
        )
        closed = self._session.execute(
            closing.values(
                status="closed",
                outcome=outcome,
                note=note,
                reviewer_id=self._reviewer_id,
                closed_at=func.now(),
            ).returning(tables.RiskReview.review_id)
        ).first()
        row = self._find(review_id)
        if closed is None and (row.outcome != outcome or note not in (None, row.note)):
            raise ReviewClosed
        self._record("closed" if closed else "read", review_id)
        return ReviewDetail.model_validate(row)

    def _find(self, review_id: UUID) -> Row[Any]:
        row = self._session.execute(_reviews().where(tables.RiskReview.review_id == review_id)).first()
        if row is None:
            raise ReviewNotFound
        return row

    def _record(self, action: Literal["listed", "read", "closed"], review_id: UUID | None = None) -> None:
        self._session.add(
            tables.SafetyAccess(reviewer_id=self._reviewer_id, action=action, review_id=review_id)
        )


def _reviews() -> Select[*tuple[Any, ...]]:
    return (
        select(
            tables.RiskReview.review_id.label("id"),
            tables.RiskReview.status,
            tables.RiskReview.outcome,
            tables.RiskReview.note,
            tables.RiskReview.reviewer_id,
            tables.RiskReview.opened_at,
            tables.RiskReview.closed_at,
            tables.RiskDetection.category,
            tables.RiskDetection.severity,
            tables.RiskDetection.subject,
            tables.RiskDetection.detected_at,
            tables.RiskDetection.session_id,
            tables.Program.slug.label("program"),
            case((tables.ProgramSession.anonymous, None), else_=tables.RiskDetection.user_id).label(
                "user_id"
            ),
        )
        .join(tables.RiskDetection, tables.RiskDetection.detection_id == tables.RiskReview.detection_id)
        .join(tables.ProgramSession, tables.ProgramSession.session_id == tables.RiskDetection.session_id)
        .join(tables.Program, tables.Program.program_id == tables.ProgramSession.program_id)
    )
