"""What a learner wrote anywhere is all in their export, and nowhere after their erasure."""

import io
import json
import time
import zipfile
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from course_archives import targz
from four_services import PASSWORD, FourServices, Person
from redis import Redis
from service_routes import SERVICES, part
from sqlalchemy import text, update

from chat_service.tutor.courses import Courses
from chat_service.tutor.index import LessonIndex
from cogniflow_dev.stores import Stores
from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.events import Deliver
from cogniflow_kit.ids import utc_now
from cogniflow_kit.mongo import Mongo
from users_service.privacy.ledger import Ledger
from users_service.tables import ErasureRequest

LASTING = {"erasure_requests", "revocations"}
"""Tables of users-service that go on naming the id: the receipt, and for some minutes what refuses tokens."""


@dataclass
class Learner:
    """Somebody with an account, who signs all they write."""

    platform: FourServices
    sign: str
    id: UUID
    headers: dict[str, str]

    def call(self, service: str, method: str, path: str, **kwargs: Any) -> Any:
        answer = self.platform.call(service, method, path, headers=self.headers, **kwargs)
        assert answer.is_success, answer.text
        is_json = answer.headers.get("content-type") == "application/json" and answer.content
        return answer.json() if is_json else answer.content

    @property
    def canaries(self) -> set[str]:
        words = ("name", "mail", "full", "bio", "attempt", "question", "answer")
        return {f"{word}-{self.sign}" for word in words}


def register(platform: FourServices, sign: str) -> Learner:
    account = {
        "username": f"name-{sign}",
        "email": f"mail-{sign}@example.org",
        "full_name": f"full-{sign} Learner",
        "password": f"{PASSWORD} {sign}",
    }
    registered = platform.call(
        "users", "POST", "/api/auth/register", json=account, headers={"Idempotency-Key": sign}
    )
    form = {"username": account["username"], "password": "a wrong guess"}
    assert platform.call("users", "POST", "/api/auth/token", data=form).status_code == 401
    form["password"] = account["password"]
    tokens = platform.call("users", "POST", "/api/auth/token", data=form).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return Learner(platform, sign, UUID(registered.json()["id"]), headers)


@pytest.fixture(scope="module")
def course_id(platform: FourServices) -> str:
    teacher: Person = platform.person("instructor")
    files = {"file": ("course.tar.gz", targz(), "application/gzip")}
    made = platform.call("courses", "POST", "/api/courses/import", files=files, headers=teacher.headers)
    course_id = str(made.json()["course_id"])
    settings = platform.settings["chat"]
    courses = Courses(ServiceClient(settings, "courses-service", settings.courses_url))
    LessonIndex(platform.apps["chat"].state.database, courses).refresh(UUID(course_id))
    return course_id


def live(learner: Learner, course_id: str) -> None:
    """Leave something in every store of every service."""
    sign = learner.sign
    profile = {"bio": f"bio-{sign}", "timezone": "Europe/Ljubljana"}
    learner.call("users", "PUT", "/api/profile", json=profile)
    learner.call("courses", "POST", f"/api/courses/{course_id}/enroll")
    outline = learner.call("courses", "GET", f"/api/courses/{course_id}/outline")
    lesson_id = outline["sections"][0]["lessons"][0]["id"]
    quiz = learner.call("courses", "GET", f"/api/lessons/{lesson_id}")["quizzes"][0]
    answers = [
        {"question_id": question["id"], "choice_ids": [question["choices"][0]["id"]]}
        for question in quiz["questions"]
    ]
    attempt = {"client_attempt_id": f"attempt-{sign}", "answers": answers}
    learner.call("courses", "POST", f"/api/quizzes/{quiz['id']}/attempts", json=attempt)
    learner.call("courses", "POST", f"/api/lessons/{lesson_id}/complete")
    asked = {"message": f"What is it? question-{sign}", "course_id": course_id}
    asked["client_message_id"] = str(uuid4())
    learner.call("chat", "POST", "/api/chat/message", json=asked)
    session = learner.call("chat", "POST", "/api/programs/driven/start")
    told = {"text": f"My proposal was rejected. answer-{sign}", "client_message_id": str(uuid4())}
    learner.call("chat", "POST", f"/api/programs/sessions/{session['id']}/answer", json=told)
    learner.call("analytics", "PUT", "/api/presence")


def deliver_facts(platform: FourServices) -> None:
    """What the relays of the workers do."""
    for service in SERVICES:
        settings = platform.settings[service]
        worker = part(service, "worker").build(settings)
        deliver = Deliver(ServiceClient(settings, "analytics-service", settings.analytics_url))
        for outbox in worker.outboxes:
            while outbox.relay_batch(deliver):
                pass


def work(platform: FourServices, job: str, **arguments: str) -> None:
    """What the worker of users-service does with one job."""
    worker = part("users", "worker").build(platform.settings["users"])
    with platform.database.transaction() as session:
        job_id = worker.jobs.enqueue(session, job, json.dumps(arguments))
    worker.jobs.perform(str(job_id))
    with platform.database.transaction() as session:
        found = {"id": job_id}
        status = session.scalar(text("SELECT status FROM jobs WHERE id = :id"), found)
    assert status == "done", "the job failed; its log says why"


def export(learner: Learner) -> str:
    made = learner.call("users", "POST", "/api/privacy/export")
    work(learner.platform, "export_person", export_id=made["id"])
    content = learner.call("users", "GET", f"/api/privacy/exports/{made['id']}/download")
    files = zipfile.ZipFile(io.BytesIO(content))
    return "\n".join(files.read(name).decode() for name in files.namelist())


def erase(learner: Learner) -> dict[str, Any]:
    """Ask for it, let 14 days go by, and work through both passes; the receipts."""
    password = {"password": f"{PASSWORD} {learner.sign}"}
    asked = learner.call("users", "POST", "/api/privacy/erase", json=password)
    for _ in range(2):
        with learner.platform.database.transaction() as session:
            session.execute(update(ErasureRequest).values(due_at=utc_now() - timedelta(seconds=1)))
        work(learner.platform, "erase_person", request_id=asked["id"])
    with learner.platform.database.transaction() as session:
        request = session.get_one(ErasureRequest, UUID(asked["id"]))
    assert request.status == "finished"
    return dict(request.receipts)


def postgresql(platform: FourServices) -> dict[str, str]:
    """Every row of every table, as text by `service.table`."""
    found = {}
    for service in SERVICES:
        tables = part(service, "tables").metadata.tables.values()
        with platform.apps[service].state.database.transaction() as session:
            for table in tables:
                rows = session.scalars(text(f"SELECT t::text FROM {table.fullname} t"))
                found[f"{service}.{table.name}"] = "\n".join(rows)
    return found


def mongodb(platform: FourServices) -> str:
    """Every document of every collection."""
    found = []
    for service in ("courses", "chat", "analytics"):
        url = platform.settings[service].mongo_url.get_secret_value()
        with closing(Mongo(url)) as mongo:
            names = mongo.database.list_collection_names()
            assert names
            found += [str(document) for name in names for document in mongo.collection(name).find()]
    return "\n".join(found)


def redis(stores: Stores) -> str:
    """Every key with its value, in every numbered database."""
    found = []
    for number in range(16):
        with Redis.from_url(stores.redis.admin_url(), db=number) as client:
            for key in client.scan_iter(count=1000):
                kind = client.type(key)
                read = {
                    b"string": client.get,
                    b"list": lambda name: client.lrange(name, 0, -1),
                    b"hash": client.hgetall,
                    b"set": client.smembers,
                    b"zset": lambda name: client.zrange(name, 0, -1),
                }[kind]
                found.append(f"{key!r} {read(key)!r}")
    return "\n".join(found)


def test_everything_is_in_the_export_and_nothing_is_left_after_the_erasure(
    platform: FourServices, stores: Stores, course_id: str
) -> None:
    maja, noor = register(platform, "quince"), register(platform, "walnut")
    for learner in (maja, noor):
        live(learner, course_id)
    deliver_facts(platform)
    activity = maja.call("users", "GET", "/api/profile/activity")
    shown = {name: found["count"] for name, found in activity.items() if found["status"] == "ok"}
    assert shown == {"courses": 1, "lessons": 1, "conversations": 1, "streak": 1}

    exported = export(maja)
    for canary in maja.canaries:
        assert canary in exported, canary
    assert "redis.presence" in exported
    assert "walnut" not in exported
    assert str(noor.id) not in exported
    before = f"{postgresql(platform)} {mongodb(platform)} {redis(stores)}"
    for canary in maja.canaries | {str(maja.id)}:
        assert canary in before, canary
    noors = export(noor)

    receipts = erase(maja)
    assert receipts.keys() == {f"{service}-service" for service in SERVICES}
    for receipt in receipts.values():
        assert sum(receipt["erased"].values()) > 0, receipts
    left = postgresql(platform)
    for where, rows in left.items():
        assert "quince" not in rows, where
        assert str(maja.id) not in rows or where.removeprefix("users.") in LASTING, where
    others = f"{mongodb(platform)} {redis(stores)}"
    assert "quince" not in others
    assert str(maja.id) not in others
    assert maja.id.hex not in others.replace("-", "")

    after = export(noor)
    for canary in noor.canaries:
        assert canary in after, canary
    assert after.count(str(noor.id)) >= noors.count(str(noor.id))
    ledger = platform.settings["users"].erasure_ledger
    assert maja.id in {entry.user_id for entry in Ledger(ledger).entries()}
    assert "quince" not in ledger.read_text()

    time.sleep(1)  # until every service has heard that the tokens count no more
    for service, path in (("courses", "/api/courses"), ("chat", "/api/chat/conversations")):
        assert platform.call(service, "GET", path, headers=maja.headers).status_code == 401
