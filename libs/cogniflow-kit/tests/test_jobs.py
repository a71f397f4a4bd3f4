"""A job that was enqueued runs, whatever dies: the row is the truth, the message only a nudge."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import dramatiq
import pytest
from sqlalchemy import text

from cogniflow_kit.ids import new_id
from cogniflow_kit.jobs import MAX_ATTEMPTS, PRUNE, Jobs, Schedule
from cogniflow_kit.redis import RedisStore

NO_REDIS = "redis://127.0.0.1:9/0"
MOMENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def jobs(database, settings, redis_prefix):
    return Jobs(database, settings.redis_url.get_secret_value(), redis_prefix)


@pytest.fixture
def rows(database):
    """The jobs, oldest first."""

    def read():
        with database.transaction() as session:
            return session.execute(text("SELECT * FROM jobs ORDER BY id")).all()

    return read


def enqueue(jobs: Jobs, database, name: str, **options) -> UUID | None:
    with database.transaction() as session:
        return jobs.enqueue(session, name, **options)


def due_now(database) -> None:
    """As if the pause before the next attempt, or a dead worker's lease, had passed."""
    with database.transaction() as session:
        session.execute(text("UPDATE jobs SET due_at = now(), sent_at = now() - interval '1 minute'"))


def messages(redis: RedisStore) -> int:
    return redis.client.hlen(f"{redis.prefix}:jobs:default.msgs")


def test_a_job_gets_its_arguments_and_is_done(jobs, database, rows):
    seen = []
    jobs.handler("greet", seen.append)
    job_id = enqueue(jobs, database, "greet", arguments='{"name": "maja", "n": [1, 2]}')
    jobs.perform(str(job_id))
    assert seen == [{"name": "maja", "n": [1, 2]}]
    [row] = rows()
    assert (row.id, row.status, row.attempts) == (job_id, "done", 1)
    assert row.finished_at is not None


def test_a_message_that_comes_twice_runs_the_job_once(jobs, database):
    seen = []
    jobs.handler("greet", seen.append)
    job_id = enqueue(jobs, database, "greet")
    for _ in range(3):
        jobs.perform(str(job_id))
    assert len(seen) == 1


def test_a_message_about_nothing_is_ignored(jobs):
    jobs.perform(str(new_id()))


def test_two_workers_do_not_take_the_same_job(jobs, database):
    seen = []
    jobs.handler("greet", seen.append)
    job_ids = [str(enqueue(jobs, database, "greet", arguments=f'{{"n": {n}}}')) for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(jobs.perform, [job_id for job_id in job_ids for _ in range(4)]))
    assert sorted(arguments["n"] for arguments in seen) == list(range(20))


def test_a_job_belongs_to_the_transaction(jobs, database, rows, redis):
    def fail() -> None:
        with database.transaction() as session:
            jobs.enqueue(session, "greet")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert rows() == []
    assert messages(redis) == 0


def test_the_message_goes_out_after_the_commit(jobs, database, redis):
    with database.transaction() as session:
        jobs.enqueue(session, "greet")
        assert messages(redis) == 0
    assert messages(redis) == 1


def test_a_failed_job_is_tried_again_later(jobs, database, rows):
    runs = []

    def fail_twice(_):
        runs.append(1)
        if len(runs) < 3:
            raise ValueError("private words")

    jobs.handler("flaky", fail_twice)
    job_id = str(enqueue(jobs, database, "flaky"))
    jobs.perform(job_id)
    [row] = rows()
    assert (row.status, row.error) == ("queued", "ValueError")
    assert timedelta(seconds=1) < row.due_at - row.sent_at < timedelta(seconds=5)
    jobs.perform(job_id)
    assert len(runs) == 1, "not before it is due"
    for _ in range(2):
        due_now(database)
        jobs.perform(job_id)
    assert [(row.status, row.attempts) for row in rows()] == [("done", 3)]


def test_a_job_that_always_fails_is_given_up_and_kept(jobs, database, rows):
    def fail(_):
        raise ValueError

    jobs.handler("broken", fail)
    job_id = str(enqueue(jobs, database, "broken"))
    for _ in range(MAX_ATTEMPTS + 2):
        due_now(database)
        jobs.perform(job_id)
    [row] = rows()
    assert (row.status, row.attempts) == ("failed", MAX_ATTEMPTS)
    assert jobs.sweep() == 0


def test_a_job_that_always_kills_its_worker_is_given_up_too(jobs, database, rows):
    def die(_):
        raise SystemExit

    jobs.handler("deadly", die)
    job_id = str(enqueue(jobs, database, "deadly"))
    for _ in range(MAX_ATTEMPTS + 2):
        due_now(database)
        jobs.sweep()
        try:
            jobs.perform(job_id)
        except SystemExit:
            continue
    [row] = rows()
    assert (row.status, row.attempts) == ("failed", MAX_ATTEMPTS)


def test_a_job_nobody_knows_waits_for_a_newer_worker(jobs, database, rows):
    job_id = str(enqueue(jobs, database, "of-tomorrow"))
    jobs.perform(job_id)
    assert rows()[0].status == "queued"
    seen = []
    jobs.handler("of-tomorrow", seen.append)
    due_now(database)
    jobs.perform(job_id)
    assert len(seen) == 1


def test_redis_away_at_enqueue_the_row_waits_and_is_sent(database, settings, redis_prefix, rows, redis):
    cut_off = Jobs(database, NO_REDIS, redis_prefix)
    job_id = enqueue(cut_off, database, "greet")
    assert [row.id for row in rows()] == [job_id]
    assert cut_off.sweep() == 0, "just enqueued; its message may be on the way"
    due_now(database)
    assert cut_off.sweep() == 1, "tried, in vain"
    assert rows()[0].status == "queued"

    due_now(database)
    back = Jobs(database, settings.redis_url.get_secret_value(), redis_prefix)
    seen = []
    back.handler("greet", seen.append)
    worker = dramatiq.Worker(back.broker, worker_threads=1)
    worker.start()
    try:
        assert back.sweep() == 1
        back.broker.join("default", timeout=10_000)
        worker.join()
    finally:
        worker.stop()
    assert len(seen) == 1
    assert rows()[0].status == "done"
    assert messages(redis) == 0


def test_a_dead_workers_job_is_sent_again_after_its_lease(jobs, database, redis):
    job_id = enqueue(jobs, database, "greet")
    claim = text(
        "UPDATE jobs SET status = 'running', attempts = 1, due_at = now() + interval '5 minutes',"
        " sent_at = now() - interval '1 minute' WHERE id = :id"
    )
    with database.transaction() as session:
        session.execute(claim, {"id": job_id})
    assert jobs.sweep() == 0, "its lease still runs"
    due_now(database)
    assert jobs.sweep() == 1
    assert jobs.sweep() == 0, "sent a moment ago"
    assert messages(redis) == 2


def test_a_slot_is_taken_once(jobs, database, rows):
    assert enqueue(jobs, database, "tick", slot=MOMENT) is not None
    assert enqueue(jobs, database, "tick", slot=MOMENT) is None
    assert enqueue(jobs, database, "tock", slot=MOMENT) is not None
    assert enqueue(jobs, database, "tick", slot=MOMENT + timedelta(hours=1)) is not None
    assert len(rows()) == 3


@pytest.mark.parametrize(
    ("every", "now", "slot"),
    [
        (timedelta(hours=1), "2026-03-02T09:59:59.999+00:00", "2026-03-02T09:00:00+00:00"),
        (timedelta(hours=1), "2026-03-02T10:00:00+00:00", "2026-03-02T10:00:00+00:00"),
        (timedelta(minutes=10), "2026-03-29T03:05:00+02:00", "2026-03-29T01:00:00+00:00"),
        (timedelta(days=1), "2026-03-02T23:59:59+00:00", "2026-03-02T00:00:00+00:00"),
    ],
)
def test_slots_begin_at_round_times(every, now, slot):
    assert Schedule("tick", every).slot(datetime.fromisoformat(now)) == datetime.fromisoformat(slot)


def test_old_done_jobs_are_forgotten_but_never_the_latest_slot(jobs, database, rows):
    """Else a weekly job would find its slot free again the next day, and run daily."""
    weekly = [enqueue(jobs, database, "weekly", slot=slot) for slot in (MOMENT - timedelta(days=7), MOMENT)]
    once = enqueue(jobs, database, "once")
    unfinished = enqueue(jobs, database, "once")
    old = text(
        "UPDATE jobs SET status = 'done', finished_at = now() - interval '2 days' WHERE id <> :unfinished"
    )
    with database.transaction() as session:
        session.execute(old, {"unfinished": unfinished})
        session.execute(PRUNE)
    assert {row.id for row in rows()} == {weekly[1], unfinished}
    assert once not in {row.id for row in rows()}
    assert enqueue(jobs, database, "weekly", slot=MOMENT) is None
