"""Routes of safety: where to find help, for anybody; and the review queue, for admins."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from chat_service.safety.detection.risk import Severity
from chat_service.safety.help.places import DEFAULT_LANGUAGE, language_shown, resources
from chat_service.safety.reviews.schemas import CloseReview, HelpOut, ReviewDetail, ReviewOut, Status
from chat_service.safety.reviews.service import Reviews
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Admin
from cogniflow_kit.schemas import Page, PageRequest
from cogniflow_kit.sql.database import DatabaseSession

router = APIRouter(prefix="/api/safety", tags=["safety"])


async def get_reviews(admin: Admin, session: DatabaseSession) -> Reviews:
    return Reviews(session, admin.id)


async def no_store(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


ReviewQueue = Annotated[Reviews, Depends(get_reviews)]


@router.get("/resources")
async def find_help(
    response: Response,
    locale: Annotated[
        str | None, Query(description="such as `de-CH`; anything unknown gives English")
    ] = None,
    accept_language: Annotated[str, Header(include_in_schema=False)] = DEFAULT_LANGUAGE,
) -> HelpOut:
    """Places to find help. Needs no account and no store; without `locale`, Accept-Language decides."""
    chosen = locale or accept_language.split(",")[0].split(";")[0].strip()
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Vary"] = "Accept-Language"
    return HelpOut(language=language_shown(chosen), resources=resources(chosen))


@router.get("/reviews", dependencies=[Depends(no_store)])
def list_reviews(
    reviews: ReviewQueue,
    page: Annotated[PageRequest, Depends()],
    status: Status | None = None,
    severity: Severity | None = None,
) -> Page[ReviewOut]:
    """Detections to look at, the longest waiting first. Reading them is recorded."""
    items, next_cursor = page.slice(reviews.page(status, severity, page.after, page.limit))
    return Page(items=items, next_cursor=next_cursor)


@router.get("/reviews/{review_id}", responses=problems(404), dependencies=[Depends(no_store)])
def read_review(review_id: UUID, reviews: ReviewQueue) -> ReviewDetail:
    """One detection, and whom to contact about it. Reading it is recorded."""
    return reviews.read(review_id)


@router.post("/reviews/{review_id}/close", responses=problems(404, 409), dependencies=[Depends(no_store)])
def close_review(review_id: UUID, body: CloseReview, reviews: ReviewQueue) -> ReviewDetail:
    """Say what came of it. The same outcome again changes nothing, another one is refused."""
    return reviews.close(review_id, body.outcome, body.note)
