"""Queries on reviews and on the record of accesses to them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, case, func, select, update
from sqlalchemy.orm import Session

from chat_service.tables import Program, ProgramSession, RiskDetection, RiskReview, SafetyAccess


class ReviewRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def page(
        self, status: str | None, severity: str | None, after: UUID | None, limit: int
    ) -> list[Row[Any]]:
        """Return reviews, oldest first, one more than `limit` when there are more."""
        reviews = _reviews().order_by(RiskReview.review_id).limit(limit + 1)
        if status is not None:
            reviews = reviews.where(RiskReview.status == status)
        if severity is not None:
            reviews = reviews.where(RiskDetection.severity == severity)
        if after is not None:
            reviews = reviews.where(RiskReview.review_id > after)
        return list(self._db.execute(reviews))

    def find(self, review_id: UUID) -> Row[Any] | None:
        return self._db.execute(_reviews().where(RiskReview.review_id == review_id)).first()

    def close(self, review_id: UUID, outcome: str, note: str | None, reviewer_id: UUID) -> bool:
        """Close an open review. Returns False when it is not open."""
        closed = (
            update(RiskReview)
            .where(RiskReview.review_id == review_id, RiskReview.status == "open")
            .values(
                status="closed", outcome=outcome, note=note, reviewer_id=reviewer_id, closed_at=func.now()
            )
            .returning(RiskReview.review_id)
        )
        return self._db.execute(closed).first() is not None

    def add_access(self, reviewer_id: UUID, action: str, review_id: UUID | None) -> None:
        self._db.add(SafetyAccess(reviewer_id=reviewer_id, action=action, review_id=review_id))


def _reviews() -> Select[*tuple[Any, ...]]:
    """Select reviews with their detection. `user_id` is null for anonymous participants."""
    return (
        select(
            RiskReview.review_id.label("id"),
            RiskReview.status,
            RiskReview.outcome,
            RiskReview.note,
            RiskReview.reviewer_id,
            RiskReview.opened_at,
            RiskReview.closed_at,
            RiskDetection.category,
            RiskDetection.severity,
            RiskDetection.subject,
            RiskDetection.detected_at,
            RiskDetection.session_id,
            Program.slug.label("program"),
            case((ProgramSession.anonymous, None), else_=RiskDetection.user_id).label("user_id"),
        )
        .join(RiskDetection, RiskDetection.detection_id == RiskReview.detection_id)
        .join(ProgramSession, ProgramSession.session_id == RiskDetection.session_id)
        .join(Program, Program.program_id == ProgramSession.program_id)
    )
