"""Time and WAL to store one turn of a conversation, compared with LangGraph; in process, without HTTP."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.turns.model import Message
from chat_service.turns.protocol import run_turn
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database

PEER_DATABASE = "peer"
TURNS = 25
"""Turns per conversation: 50 messages."""
ANSWER = "On Monday at 10 I will ask my colleague Ana about it, because I felt it matters; confidence 8."
_WAL = text("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes")
_PEER = ("langgraph==1.2.22", "langgraph-checkpoint-postgres==3.2.0", "psycopg[binary]==3.3.9")

Measured = dict[str, Any]
"""`times_ms` of each turn, and `wal_bytes` of all turns."""


def cogniflow_turns(database_url: str, conversations: int) -> Measured:
    """Run whole turns with the coach: look, begin, answer, complete."""
    database = Database(database_url, application="bench")
    catalog = Catalog(database)
    sessions, turns = SqlSessionStore(database, catalog), SqlTurnStore(database, catalog)
    times: list[float] = []
    before = _wal(database)
    for _ in range(conversations):
        user_id = new_id()
        session_id = sessions.start(StartRequest(user_id, "Maja"), "driven").session_id
        for _ in range(TURNS):
            message = Message(user_id, session_id, str(uuid4()), "fingerprint", ANSWER)
            since = time.perf_counter()
            run_turn(turns, CoachEngine(), message)
            times.append((time.perf_counter() - since) * 1000)
    written = _wal(database) - before
    database.close()
    return {"times_ms": times, "wal_bytes": written}


def peer_turns(url: str, conversations: int) -> Measured:
    """Store the same conversations with LangGraph's PostgresSaver, in a separate environment."""
    program = Path(__file__).parent / "peers" / "langgraph_turns.py"
    wanted = [argument for package in _PEER for argument in ("--with", package)]
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv), "run", "--no-project", "--isolated", "--quiet", *wanted, "python", str(program)]
    done = subprocess.run(
        [*command, url, str(conversations), str(TURNS), ANSWER], check=True, capture_output=True, text=True
    )
    found: Measured = json.loads(done.stdout)
    return found


def in_turn_with_peer(
    ours: Callable[[], Measured], peer_url: str, *, runs: int, conversations: int
) -> list[dict[str, Any]]:
    """Run both alternately (A B A B …) after warming up each."""
    contenders: dict[str, Callable[[], Measured]] = {
        "chat-service": ours,
        "LangGraph PostgresSaver": lambda: peer_turns(peer_url, conversations),
    }
    for measure in contenders.values():
        measure()
    found: dict[str, list[Measured]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, measure in contenders.items():
            found[name].append(measure())
    return [_summary(name, rows) for name, rows in found.items()]


def _summary(name: str, rows: list[Measured]) -> dict[str, Any]:
    medians = [statistics.median(row["times_ms"]) for row in rows]
    all_times = sorted(time_ms for row in rows for time_ms in row["times_ms"])
    turns = sum(len(row["times_ms"]) for row in rows)
    return {
        "name": name,
        "median_ms": statistics.median(medians),
        "fastest_ms": min(medians),
        "slowest_ms": max(medians),
        "p99_ms": all_times[int(len(all_times) * 0.99)],
        "wal_bytes_per_turn": round(sum(row["wal_bytes"] for row in rows) / turns),
        "runs": len(rows),
    }


def _wal(database: Database) -> int:
    row = database.run(_WAL)
    assert row is not None
    return int(row.bytes)
