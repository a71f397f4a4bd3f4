"""The route that moves running sessions to another version."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends

from chat_service.programs.authoring.dependencies import MovingService
from chat_service.programs.authoring.schemas import MoveSessions, MovesOut, Slug
from chat_service.programs.authoring.versions_api import Version
from cogniflow_kit.errors import problems
from cogniflow_kit.identity import Admin
from cogniflow_kit.schemas import PageRequest

log = structlog.stdlib.get_logger(__name__)
router = APIRouter(tags=["authoring"])


@router.post("/api/programs/{slug}/versions/{version}/move", responses=problems(404))
def move_sessions(
    slug: Slug,
    version: Version,
    body: MoveSessions,
    user: Admin,
    moving: MovingService,
    page: Annotated[PageRequest, Depends()],
) -> MovesOut:
    """What moving running sessions to this version does to each; with `dry_run: false`, move them.

    Nobody is moved otherwise. Repeating it moves only who isn't there yet. Sessions with a turn under way,
    or in a running experiment, are left alone.
    """
    program, total, found = moving.find(slug, version, body.from_version, page.after, page.limit)
    candidates, next_cursor = page.slice(found)
    items = [moving.move(candidate, program, dry_run=body.dry_run) for candidate in candidates]
    moved = sum(one.moved for one in items)
    if not body.dry_run:
        log.info("sessions moved", slug=slug, version=version, by=str(user.id), moved=moved)
    return MovesOut(dry_run=body.dry_run, total=total, moved=moved, items=items, next_cursor=next_cursor)
