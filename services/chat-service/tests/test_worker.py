"""The worker's jobs, by themselves and in a real worker process."""

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from sqlalchemy import text

from chat_service import worker as chat_worker
from cogniflow_kit.jobs import Jobs

IDLE = "import sys, chat_service.app, chat_service.worker; print({'numpy', 'tokenizers'} & {*sys.modules})"


@pytest.fixture
def jobs(settings, committing, mongo, platform) -> Jobs:
    return chat_worker.build_worker(settings).jobs


@pytest.fixture
def rows(committing):
    def select(statement: str) -> list[Any]:
        with committing.transaction() as session:
            return [tuple(row) for row in session.execute(text(statement))]

    return select


@pytest.fixture
def work(jobs: Jobs, committing, rows):
    """Enqueue a job by name and perform everything that is due."""

    def perform(name: str, **arguments: Any) -> None:
        with committing.transaction() as session:
            jobs.enqueue(session, name, json.dumps(arguments, default=str))
        while due := rows("SELECT id FROM jobs WHERE status = 'queued' AND due_at <= now()"):
            for (job_id,) in due:
                jobs.perform(str(job_id))

    return perform


def test_new_and_edited_courses_are_indexed(work, course, platform, rows):
    work(chat_worker.FIND_STALE)
    assert rows("SELECT course_id, version, chunks FROM course_indexes") == [(course.id, 1, 8)]
    platform.calls.clear()
    work(chat_worker.FIND_STALE)
    assert f"GET /internal/courses/{course.id}/lessons" not in platform.calls

    course.version, course.lessons = 2, course.lessons[:3]
    work(chat_worker.FIND_STALE)
    assert rows("SELECT version, chunks FROM course_indexes") == [(2, 3)]
    assert rows("SELECT count(*) FROM lesson_chunks") == [(3,)]


def test_courses_that_are_gone_are_forgotten(work, course, platform, rows):
    work(chat_worker.FIND_STALE)
    platform.courses.clear()
    work(chat_worker.FIND_STALE)
    assert rows("SELECT count(*) FROM course_indexes") == [(0,)]
    assert rows("SELECT count(*) FROM lesson_chunks") == [(0,)]


def test_an_older_version_never_replaces_a_newer_one(work, course, rows):
    course.version = 5
    work(chat_worker.FIND_STALE)
    course.version, course.lessons = 4, []
    work(chat_worker.INDEX_COURSE, course_id=course.id)
    assert rows("SELECT version, chunks FROM course_indexes") == [(5, 8)]


def test_lessons_away_are_tried_again(work, course, platform, rows):
    platform.lessons_away = True
    work(chat_worker.FIND_STALE)
    found = rows("SELECT status, error, attempts FROM jobs WHERE name = 'index_course'")
    assert found == [("queued", "Unavailable", 1)]
    work(chat_worker.FIND_STALE)
    assert rows("SELECT count(*) FROM jobs WHERE name = 'index_course'") == [(1,)]


def test_the_jobs_end_turns_that_broke_off(work, server, as_maja, committing, mongo, question, rows):
    server.post("/api/chat/message", json=question(), headers=as_maja)
    session_id = server.post("/api/programs/driven/start", headers=as_maja).json()["id"]
    body = {"text": "I was at work and thought nothing of it at all.", "client_message_id": "one"}
    server.post(f"/api/programs/sessions/{session_id}/answer", json=body, headers=as_maja)
    broke_off = "status = 'running', lease_expires_at = now() - interval '1 s'"
    with committing.transaction() as session:
        session.execute(text(f"UPDATE turns SET {broke_off}"))
    turns = mongo.collection("ai_conversations")
    turns.update_many({}, [{"$set": {"status": "running", "lease_expires_at": "$created_at"}}])
    work(chat_worker.REAP_PROGRAMS)
    work(chat_worker.REAP_TUTOR)
    assert rows("SELECT status FROM turns") == [("failed",)]
    assert [turn["status"] for turn in turns.find()] == ["failed"]


@pytest.mark.slow
def test_a_worker_process_indexes_and_delivers(
    settings, server, platform, course, question, as_maja, rows, tmp_path, process_environment
):
    said = server.post("/api/chat/message", json=question(), headers=as_maja).json()
    session_id = server.post("/api/programs/driven/start", headers=as_maja).json()["id"]
    course.version = 2
    heartbeat = tmp_path / "heartbeat"
    process = subprocess.Popen(
        [sys.executable, "-m", "chat_service.worker"],
        env=process_environment(WORKER_HEARTBEAT=str(heartbeat)),
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            if rows("SELECT version FROM course_indexes") == [(2,)] and len(platform.delivered) == 2:
                break
            time.sleep(0.2)
        process.terminate()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
    assert rows("SELECT version FROM course_indexes") == [(2,)]
    assert heartbeat.exists()
    facts = {event["type"]: event["data"] for event in platform.delivered}
    assert facts["program.started"] == {"program": "driven", "session_id": session_id}
    assert facts["tutor.turn_completed"]["turn_id"] == said["turn_id"]


def test_idle_processes_load_no_vectors():
    found = subprocess.run([sys.executable, "-c", IDLE], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
