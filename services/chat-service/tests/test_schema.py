"""The tables in the code are the tables in the database, and preparing is repeatable."""

import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from chat_service import tables
from cogniflow_dev.testing.databases import schema_drift

SERVICE = Path(__file__).parents[1]


def test_the_migrations_make_exactly_the_tables(settings):
    assert schema_drift(settings, tables.metadata) == []


def test_every_foreign_key_has_an_index():
    for table in tables.metadata.sorted_tables:
        leading = {index.columns[0].name for index in table.indexes}
        leading |= {constraint.columns[0].name for constraint in table.constraints if len(constraint.columns)}
        for key in table.foreign_keys:
            assert key.parent.name in leading, f"{table.name}.{key.parent.name}"


def test_replicas_may_prepare_at_once(process_environment, committing, mongo):
    with committing.transaction() as session:
        before = list(
            session.scalars(
                select(tables.ProgramVersion.version_id).order_by(tables.ProgramVersion.version_id)
            )
        )
    command = [sys.executable, str(SERVICE / "create_tables.py")]
    replicas = [
        subprocess.Popen(command, env=process_environment(), stdout=subprocess.DEVNULL) for _ in range(3)
    ]
    assert [replica.wait(timeout=60) for replica in replicas] == [0, 0, 0]
    with committing.transaction() as session:
        assert (
            list(
                session.scalars(
                    select(tables.ProgramVersion.version_id).order_by(tables.ProgramVersion.version_id)
                )
            )
            == before
        )
