"""Erasures as they are carried out: every service in turn, resumable at any point.

Each step can be repeated without harm, so a pipeline that was killed begins
its pass again. There are two passes: what was under way while the first one
ran, such as an answer being written or a fact being delivered, is found by
the second, a minute later.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.personal_data import Erased
from cogniflow_kit.sql.database import Database
from users_service.audit.trail import EventType, Trail
from users_service.login.repository import LoginRepository
from users_service.privacy.fault_points import reach
from users_service.privacy.ledger import Entry, Ledger
from users_service.privacy.others import Source
from users_service.tables import ErasureRequest, User

log = structlog.stdlib.get_logger(__name__)

ERASE = "erase_person"
PASSES = 2
SETTLE = timedelta(minutes=1)
OWN = "own"


class ErasurePipeline:
    """`others`: the other services in the order they are asked; `own` comes after them."""

    def __init__(self, database: Database, ledger: Ledger, others: Mapping[str, Source], own: Source) -> None:
        self._database = database
        self._ledger = ledger
        self._sources = {**others, OWN: own}

    def run(self, arguments: Mapping[str, Any]) -> None:
        """One pass over every service. Raises Unavailable when one can't be asked; run it again then."""
        request_id = UUID(arguments["request_id"])
        entry = self._begin(request_id)
        if entry is None:
            return
        reach("begun")
        self._ledger.add(entry)
        reach("ledgered")
        with self._database.transaction() as db:
            close_account(db, entry.user_id)
        reach("closed")
        for part, source in self._sources.items():
            receipt = source.erase(entry.user_id)
            reach("erased-own" if part == OWN else f"asked-{part}")
            self._note(request_id, part, receipt)
            reach(f"noted-{part}")
        self._end_pass(request_id)
        reach("passed")

    def _begin(self, request_id: UUID) -> Entry | None:
        """The request, from now on beyond cancellation; None when there is nothing to do."""
        with self._database.transaction() as db:
            request = db.get(ErasureRequest, request_id, with_for_update=True)
            if request is None or request.status not in ("waiting", "running"):
                return None
            if request.due_at > utc_now():
                return None
            request.status = "running"
            return Entry(request.id, request.user_id, request.requested_at)

    def _note(self, request_id: UUID, part: str, receipt: Erased) -> None:
        """Add the counts to the receipts of earlier passes."""
        name = "users-service" if part == OWN else f"{part}-service"
        with self._database.transaction() as db:
            request = db.get_one(ErasureRequest, request_id, with_for_update=True)
            before = request.receipts.get(name, {}).get("erased", {})
            erased = {store: count + before.get(store, 0) for store, count in receipt.erased.items()}
            noted = {"erased": erased, "at": utc_now().isoformat()}
            request.receipts = {**request.receipts, name: noted}

    def _end_pass(self, request_id: UUID) -> None:
        with self._database.transaction() as db:
            request = db.get_one(ErasureRequest, request_id, with_for_update=True)
            request.passes += 1
            if request.passes < PASSES:
                request.due_at = utc_now() + SETTLE
                return
            request.status = "finished"
            if request.finished_at is None:
                request.finished_at = utc_now()
                Trail(db).record(EventType.ERASURE_FINISHED, request_id=str(request_id))
        log.info("erasure finished", request_id=str(request_id))


def close_account(db: Session, user_id: UUID) -> None:
    """Nobody logs in any more, and what was issued counts no more."""
    closing = update(User).where(User.id == user_id).values(is_active=False).returning(User.id)
    if db.scalar(closing) is not None:
        logins = LoginRepository(db)
        logins.end(user_id, "erasure")
        logins.revoke_tokens_of(user_id)


def due(db: Session) -> list[UUID]:
    """The requests whose next pass is due."""
    open_ones = ErasureRequest.status.in_(("waiting", "running"))
    return list(db.scalars(select(ErasureRequest.id).where(open_ones, ErasureRequest.due_at <= utc_now())))


def replay(database: Database, ledger: Ledger) -> None:
    """Whoever is in the ledger is erased once more, wherever a restored backup brought them back.

    The accounts are closed at once; the pipeline does the rest.
    """
    for entry in ledger.entries():
        with database.transaction() as db:
            _reopen(db, entry)
            close_account(db, entry.user_id)


def _reopen(db: Session, entry: Entry) -> None:
    others = (ErasureRequest.user_id == entry.user_id) & (ErasureRequest.id != entry.request_id)
    still_open = ErasureRequest.status.in_(("waiting", "running"))
    db.execute(update(ErasureRequest).where(others, still_open).values(status="canceled"))
    again = {"status": "running", "due_at": utc_now(), "passes": PASSES - 1}
    db.execute(
        insert(ErasureRequest)
        .values(id=entry.request_id, user_id=entry.user_id, requested_at=entry.requested_at, **again)
        .on_conflict_do_update(index_elements=["id"], set_=again, where=ErasureRequest.status != "running")
    )
