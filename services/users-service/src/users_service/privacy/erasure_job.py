"""The worker's part of erasures: erases a user's data in every service.

Every step can be repeated, so a killed job starts its pass again. An erasure
takes two passes, one minute apart: the second one erases what requests and
events that were under way during the first one have written since.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from cogniflow_kit.ids import utc_now
from cogniflow_kit.personal_data import Erased
from cogniflow_kit.sql.database import Database
from users_service.audit.event_types import EventType
from users_service.audit.service import AuditLog
from users_service.login.repository import LoginRepository
from users_service.privacy.erasure_ledger import ErasureLedger, LedgerEntry
from users_service.privacy.fault_points import reach
from users_service.privacy.personal_data import OWN_PART, DataSource
from users_service.privacy.repository import ErasureRepository
from users_service.tables import ErasureRequest

log = structlog.stdlib.get_logger(__name__)

ERASE_JOB = "erase_person"
PASSES = 2
PASS_INTERVAL = timedelta(minutes=1)


class ErasureJob:
    """Runs one pass of an erasure.

    `others`: the other services, in the order in which they erase. users-service (`own`) is last.
    """

    def __init__(
        self, database: Database, ledger: ErasureLedger, others: Mapping[str, DataSource], own: DataSource
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._sources = {**others, OWN_PART: own}

    def run(self, arguments: Mapping[str, Any]) -> None:
        """Job: erase the data of the request `request_id`, if it is due.

        Raises: Unavailable (when a service can't be reached; run the job again).
        """
        request_id = UUID(arguments["request_id"])
        entry = self._start(request_id)
        if entry is None:
            return
        reach("started")
        self._ledger.add(entry)
        reach("ledger-written")
        with self._database.transaction() as db:
            close_account(db, entry.user_id)
        reach("account-closed")
        for part, source in self._sources.items():
            receipt = source.erase(entry.user_id)
            reach(f"erased-{part}")
            self._store_receipt(request_id, part, receipt)
            reach(f"stored-{part}")
        self._finish_pass(request_id)
        reach("pass-finished")

    def _start(self, request_id: UUID) -> LedgerEntry | None:
        """Set the request to running, so that it can't be canceled; None if it isn't due."""
        with self._database.transaction() as db:
            request = ErasureRepository(db).locked(request_id)
            if request is None or request.status not in ("waiting", "running"):
                return None
            if request.due_at > utc_now():
                return None
            request.status = "running"
            return LedgerEntry(request.id, request.user_id, request.requested_at)

    def _store_receipt(self, request_id: UUID, part: str, receipt: Erased) -> None:
        """Add the counts to the receipt of earlier passes."""
        name = f"{part}-service"
        with self._database.transaction() as db:
            request = _locked(db, request_id)
            before = request.receipts.get(name, {}).get("erased", {})
            erased = {store: count + before.get(store, 0) for store, count in receipt.erased.items()}
            stored = {"erased": erased, "at": utc_now().isoformat()}
            request.receipts = {**request.receipts, name: stored}

    def _finish_pass(self, request_id: UUID) -> None:
        """Schedule the next pass, or finish the erasure after the last one."""
        with self._database.transaction() as db:
            request = _locked(db, request_id)
            request.passes += 1
            if request.passes < PASSES:
                request.due_at = utc_now() + PASS_INTERVAL
                return
            request.status = "finished"
            if request.finished_at is None:
                request.finished_at = utc_now()
                AuditLog(db).record(EventType.ERASURE_FINISHED, request_id=str(request_id))
        log.info("erasure finished", request_id=str(request_id))


def _locked(db: Session, request_id: UUID) -> ErasureRequest:
    request = ErasureRepository(db).locked(request_id)
    assert request is not None, "erasure requests are never deleted"
    return request


def close_account(db: Session, user_id: UUID) -> None:
    """Deactivate the account, end its login sessions and revoke its access tokens."""
    if ErasureRepository(db).close_account(user_id):
        logins = LoginRepository(db)
        logins.end(user_id, "erasure")
        logins.revoke_tokens_of(user_id)


def replay_ledger(database: Database, ledger: ErasureLedger) -> None:
    """Schedule one more pass for every erasure in the ledger, and close its account now.

    It erases users again whom a restored backup brought back.
    """
    for entry in ledger.entries():
        with database.transaction() as db:
            ErasureRepository(db).restart(
                entry.request_id, entry.user_id, entry.requested_at, passes=PASSES - 1
            )
            close_account(db, entry.user_id)
