"""Routes of the review queue, for admins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import StringConstraints

from chat_service.safety.detection.risk import Category, Severity, Subject
from chat_service.safety.reviews.dependencies import ReviewsService
from chat_service.safety.reviews.service import ReviewOutcome, ReviewStatus
from cogniflow_kit.errors import problems
from cogniflow_kit.schemas import Page, PageRequest, RequestBody, ResponseBody

MAX_NOTE_CHARACTERS = 2000


async def no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


router = APIRouter(prefix="/api/safety/reviews", tags=["safety"], dependencies=[Depends(no_store)])


class ReviewOut(ResponseBody):
    """A risk detection and the state of its review. Contains no text of the message."""

    id: UUID
    status: ReviewStatus
    outcome: ReviewOutcome | None
    category: Category
    severity: Severity
    subject: Subject
    program: str
    detected_at: datetime
    opened_at: datetime
    closed_at: datetime | None


class ReviewDetail(ReviewOut):
    """A review with the user to contact; `user_id` is null for an anonymous participant."""

    session_id: UUID
    user_id: UUID | None
    note: str | None
    reviewer_id: UUID | None


class CloseReview(RequestBody):
    """`note`: what was done, for later reviewers. Do not quote the participant's message in it."""

    outcome: ReviewOutcome
    note: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NOTE_CHARACTERS)]
        | None
    ) = None


@router.get("")
def list_reviews(
    reviews: ReviewsService,
    page: Annotated[PageRequest, Depends()],
    status: ReviewStatus | None = None,
    severity: Severity | None = None,
) -> Page[ReviewOut]:
    """List risk detections to review, oldest first. The access is recorded."""
    items, next_cursor = page.slice(reviews.page(status, severity, page.after, page.limit))
    return Page(items=[ReviewOut.model_validate(item) for item in items], next_cursor=next_cursor)


@router.get("/{review_id}", responses=problems(404))
def read_review(review_id: UUID, reviews: ReviewsService) -> ReviewDetail:
    """Return one review with the user to contact. The access is recorded."""
    return ReviewDetail.model_validate(reviews.read(review_id))


@router.post("/{review_id}/close", responses=problems(404, 409))
def close_review(review_id: UUID, body: CloseReview, reviews: ReviewsService) -> ReviewDetail:
    """Close a review with an outcome. The same outcome again changes nothing; another one is refused."""
    return ReviewDetail.model_validate(reviews.close(review_id, body.outcome, body.note))
