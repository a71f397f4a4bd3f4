"""Table of background jobs, in a module of its own so that table definitions don't import the broker."""

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB


def jobs_table(metadata: MetaData) -> Table:
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
    return table
