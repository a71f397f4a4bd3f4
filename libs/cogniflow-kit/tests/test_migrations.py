"""Migrations run once, whole, and next to other replicas that do the same."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from psycopg2.sql import SQL, Identifier
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from cogniflow_kit.sql import deadline
from cogniflow_kit.sql.migrations import migrate

ENV = """
from sqlalchemy import Column, Integer, Table
from cogniflow_kit.sql.migrations import run_env
from cogniflow_kit.sql.tables import service_metadata

metadata = service_metadata("kit")
Table("numbers", metadata, Column("number", Integer, primary_key=True))
run_env(metadata)
"""
REVISION = '''
"""{revision}"""
import time
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}

def upgrade():
    {body}

def downgrade():
    pass
'''
CREATE = 'op.create_table("numbers", sa.Column("number", sa.Integer, primary_key=True), schema="kit")'
SLOWLY = f"{CREATE}; time.sleep(5)"
COMMENT = "op.execute(\"COMMENT ON TABLE kit.numbers IS 'second'\")"
WIDEN = 'op.add_column("numbers", sa.Column("note", sa.Text), schema="kit")'
RUN = "import sys; from pathlib import Path; from cogniflow_kit.sql.migrations import migrate;"
RUN += " migrate(sys.argv[1], Path(sys.argv[2]))"


@pytest.fixture
def url(stores):
    """An empty database with the service's schema."""
    name = f"migrations_{uuid4().hex}"
    with closing(psycopg2.connect(stores.postgres.admin_url("postgres"))) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            url = stores.postgres.admin_url(name)
            with closing(psycopg2.connect(url)) as own, own, own.cursor() as inside:
                inside.execute("CREATE SCHEMA kit")
            yield url.replace("postgresql://", "postgresql+psycopg2://")
            cursor.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def scripts(tmp_path):
    """Writes a migrations folder with these upgrades, one after the other."""

    def write(*bodies: str) -> Path:
        versions = tmp_path / "versions"
        versions.mkdir(exist_ok=True)
        (tmp_path / "env.py").write_text(ENV)
        for number, body in enumerate(bodies, 1):
            revision, down = f"{number:04}", f"{number - 1:04}" if number > 1 else None
            source = REVISION.format(revision=revision, down=down, body=body)
            (versions / f"{revision}.py").write_text(source)
        return tmp_path

    return write


def start(url: str, folder: Path) -> subprocess.Popen[str]:
    """Migrate in a process of its own, as a replica that starts."""
    command = [sys.executable, "-c", RUN, url, str(folder)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=60)
    return errors if process.returncode else ""


def ask(url: str, question: str) -> object:
    engine = create_engine(url)
    with engine.connect() as connection:
        answer = connection.scalar(text(question))
    engine.dispose()
    return answer


def test_replicas_that_start_together_migrate_once(url, scripts):
    """The later ones wait for the first, longer than they would for a table's lock."""
    folder = scripts(SLOWLY, COMMENT)
    assert [finish(process) for process in [start(url, folder) for _ in range(3)]] == ["", "", ""]
    assert ask(url, "SELECT version_num FROM kit.alembic_version") == "0002"
    assert ask(url, "SELECT obj_description('kit.numbers'::regclass)") == "second"


def test_again_changes_nothing_and_new_ones_follow(url, scripts):
    migrate(url, scripts(CREATE))
    migrate(url, scripts(CREATE))
    migrate(url, scripts(CREATE, WIDEN))
    assert ask(url, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'numbers'") == 2


def test_a_migration_that_fails_leaves_nothing(url, scripts):
    with pytest.raises(RuntimeError, match="half way"):
        migrate(url, scripts(CREATE, WIDEN, 'raise RuntimeError("half way")'))
    assert ask(url, "SELECT to_regclass('kit.numbers')") is None
    assert ask(url, "SELECT to_regclass('kit.alembic_version')") is None


def test_a_migration_may_take_longer_than_requests_would_wait(url, scripts, monkeypatch):
    """Services migrate at their start, where the limits of requests are in force already."""
    deadline.install()
    monkeypatch.setattr(deadline, "RESPONSE_TIMEOUT_S", 0.2)
    migrate(url, scripts('op.execute("SELECT pg_sleep(1.5)")', CREATE))
    assert ask(url, "SELECT version_num FROM kit.alembic_version") == "0002"


def test_a_migration_that_cannot_get_its_lock_gives_up(url, scripts):
    """Else every reader would queue behind it."""
    migrate(url, scripts(CREATE))
    folder = scripts(CREATE, WIDEN)
    engine = create_engine(url)
    with engine.begin() as reader:
        reader.execute(text("SELECT * FROM kit.numbers"))
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate(url, folder)
    engine.dispose()
    assert ask(url, "SELECT version_num FROM kit.alembic_version") == "0001"
    migrate(url, folder)
