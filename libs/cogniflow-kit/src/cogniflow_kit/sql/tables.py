"""Column types and metadata of tables, and the tables that every service has.

Names of constraints are deterministic. Nothing here imports the job broker, so
that migrations don't need it.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import JSON, Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column

from cogniflow_kit.ids import new_id

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]


def service_metadata(schema: str) -> MetaData:
    """Metadata of the tables in the service's PostgreSQL schema."""
    return MetaData(schema=schema, naming_convention=_NAMING)


def add_shared_tables(metadata: MetaData) -> None:
    """Add the tables that every service has: idempotency keys, outbox and background jobs."""
    _add_idempotency_keys(metadata)
    _add_outbox(metadata)
    _add_jobs(metadata)


def _add_idempotency_keys(metadata: MetaData) -> None:
    """One row per owner and key, with the response; pruned after 24 hours."""
    Table(
        "idempotency_keys",
        metadata,
        Column("owner_id", Uuid, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", Text, nullable=False),
        Column("status", Integer, nullable=False),
        Column("answer", JSON, nullable=False),
        Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False, index=True),
    )


def _add_outbox(metadata: MetaData) -> None:
    """Delivered rows are pruned after 7 days; rejected rows stay until an operator deletes them."""
    table = Table(
        "outbox",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("event", JSONB, nullable=False),
        Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
        Column("delivered_at", DateTime(timezone=True), index=True),
        Column("rejected", Text),
    )
    pending = table.c.delivered_at.is_(None) & table.c.rejected.is_(None)
    Index("ix_outbox_pending", table.c.id, postgresql_where=pending)


def _add_jobs(metadata: MetaData) -> None:
    """`due_at`: earliest start, or end of the lease while running. `slot`: of periodic jobs, else null."""
    table = Table(
        "jobs",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("name", Text, nullable=False),
        Column("arguments", JSONB, nullable=False),
        Column("slot", DateTime(timezone=True)),
        Column("status", Text, nullable=False, server_default="queued"),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("sent_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("finished_at", DateTime(timezone=True)),
        Column("error", Text),
    )
    Index("uq_jobs_name_slot", table.c.name, table.c.slot, unique=True)
    Index("ix_jobs_open", table.c.due_at, postgresql_where=table.c.status.in_(("queued", "running")))
