"""Outbox table: events written in the transaction of the change that they report."""

import structlog
from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from cogniflow_kit.events import Event, EventSender
from cogniflow_kit.sql.database import Database

log = structlog.stdlib.get_logger(__name__)
BATCH = 200

_ADD = text("INSERT INTO outbox (id, event) VALUES (:id, CAST(:event AS jsonb))")
_NEXT = text(
    "SELECT id, event FROM outbox WHERE delivered_at IS NULL AND rejected IS NULL"
    " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_DELIVERED = text("UPDATE outbox SET delivered_at = now() WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_REJECTED = text("UPDATE outbox SET rejected = :reason, delivered_at = NULL WHERE id = :id")
PRUNE = text("DELETE FROM outbox WHERE delivered_at < now() - interval '7 days'")


def record(db: Session, event: Event) -> None:
    """Add the event to the transaction of the change that it reports."""
    db.execute(_ADD, {"id": str(event.id), "event": event.model_dump_json()})


class SqlOutbox:
    """Delivers the events of the `outbox` table; several replicas can run it, since each locks other rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def relay_batch(self, deliver: EventSender) -> int:
        with self._database.transaction() as db:
            rows = db.execute(_NEXT, {"limit": BATCH}).all()
            if not rows:
                return 0
            outcome = deliver([Event.model_validate(row.event) for row in rows])
            db.execute(_DELIVERED, {"ids": [row.id for row in rows]})
            for refusal in outcome.rejected:
                log.error("event rejected", event_id=str(refusal.id), reason=refusal.reason)
                db.execute(_REJECTED, {"id": refusal.id, "reason": refusal.reason})
            return len(rows)
