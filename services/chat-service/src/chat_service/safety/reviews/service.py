"""Reviews of risk detections. Every access of a reviewer is recorded."""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from chat_service.safety.detection.risk import Severity
from chat_service.safety.reviews.errors import ReviewClosed, ReviewNotFound
from chat_service.safety.reviews.repository import ReviewRepository

ReviewStatus = Literal["open", "closed"]
ReviewOutcome = Literal["no_action", "contacted", "referred", "false_alarm"]


class Reviews:
    """The review queue as one reviewer uses it."""

    def __init__(self, db: Session, reviewer_id: UUID) -> None:
        self._repository = ReviewRepository(db)
        self._reviewer_id = reviewer_id

    def page(
        self, status: ReviewStatus | None, severity: Severity | None, after: UUID | None, limit: int
    ) -> list[Row[Any]]:
        """Return reviews, oldest first, one more than `limit` when there are more."""
        self._record("listed")
        return self._repository.page(status, severity, after, limit)

    def read(self, review_id: UUID) -> Row[Any]:
        """Raises: ReviewNotFound"""
        review = self._find(review_id)
        self._record("read", review_id)
        return review

    def close(self, review_id: UUID, outcome: ReviewOutcome, note: str | None) -> Row[Any]:
        """Close a review. Closing it again with the same outcome changes nothing.

        Raises: ReviewNotFound, ReviewClosed (with another outcome or note)
        """
        closed = self._repository.close(review_id, outcome, note, self._reviewer_id)
        review = self._find(review_id)
        if not closed and (review.outcome != outcome or note not in (None, review.note)):
            raise ReviewClosed
        self._record("closed" if closed else "read", review_id)
        return review

    def _find(self, review_id: UUID) -> Row[Any]:
        review = self._repository.find(review_id)
        if review is None:
            raise ReviewNotFound
        return review

    def _record(self, action: Literal["listed", "read", "closed"], review_id: UUID | None = None) -> None:
        self._repository.add_access(self._reviewer_id, action, review_id)
