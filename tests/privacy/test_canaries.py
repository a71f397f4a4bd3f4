"""What a learner wrote anywhere is all in their export, and nowhere after their erasure."""

import time
from pathlib import Path
from uuid import UUID

import pytest
from canary_people import deliver_facts, erase, export, register
from course_archives import targz
from everywhere import files, mongodb, postgresql, redis
from four_services import FourServices, Person
from lives import diverge, live, review, visit
from service_routes import SERVICES

from chat_service.programs.sessions.participant import participant_id
from chat_service.tutor.courses_client import CoursesClient
from chat_service.tutor.lesson_index import LessonIndex
from cogniflow_dev.stores import Stores
from cogniflow_kit.clients import ServiceClient
from users_service.privacy.erasure_ledger import ErasureLedger

LASTING = {"erasure_requests", "revocations"}
"""Tables of users-service that go on naming the id: the receipt, and for some minutes what refuses tokens."""


@pytest.fixture(scope="module")
def course_id(platform: FourServices) -> str:
    teacher: Person = platform.person("instructor")
    files = {"file": ("course.tar.gz", targz(), "application/gzip")}
    made = platform.call("courses", "POST", "/api/courses/import", files=files, headers=teacher.headers)
    course_id = str(made.json()["course_id"])
    settings = platform.settings["chat"]
    courses = CoursesClient(ServiceClient(settings, "courses-service", settings.courses_url))
    LessonIndex(platform.apps["chat"].state.database, courses).refresh(UUID(course_id))
    return course_id


def test_everything_is_in_the_export_and_nothing_is_left_after_the_erasure(
    platform: FourServices, stores: Stores, spool: Path, course_id: str
) -> None:
    maja, noor = register(platform, "quince"), register(platform, "walnut")
    for learner in (maja, noor):
        live(learner, course_id)
    keys = {learner.sign: visit(platform, learner) for learner in (maja, noor)}
    for learner in (maja, noor):
        review(platform, learner)
    diverge(platform, stores, (maja, noor), spool)
    deliver_facts(platform)
    visitor = participant_id(keys["quince"])
    activity = maja.call("users", "GET", "/api/profile/activity")
    shown = {name: found["count"] for name, found in activity.items() if found["status"] == "ok"}
    assert shown == {"courses": 1, "lessons": 1, "conversations": 1, "streak": 1}

    exported = export(maja)
    for canary in maja.canaries:
        assert canary in exported, canary
    for place in ("redis.presence", "files.spool", "session_summaries", "risk_reviews"):
        assert place in exported, place
    assert "walnut" not in exported
    assert str(noor.id) not in exported
    kept, spooled = postgresql(platform), files(spool)
    before = f"{kept} {mongodb(platform)} {redis(stores)} {spooled}"
    for canary in maja.canaries | {str(maja.id)}:
        assert canary in before, canary
    assert "spool-quince" in spooled
    archive = kept["chat.conversation_messages_y2019m03"]
    assert "visit-quince" in archive
    assert str(visitor) in archive
    assert str(visitor) not in before.replace(archive, "").replace(repr(archive)[1:-1], "")
    assert keys["quince"] not in before + exported, "the key of a visit is kept nowhere"
    for table in ("system_settings", "system_setting_changes"):
        assert "quince" not in kept[f"chat.{table}"]
    noors = export(noor)

    receipts = erase(maja)
    assert receipts.keys() == {f"{service}-service" for service in SERVICES}
    for receipt in receipts.values():
        assert sum(receipt["erased"].values()) > 0, receipts
    left = postgresql(platform)
    for where, rows in left.items():
        assert "quince" not in rows, where
        assert str(maja.id) not in rows or where.removeprefix("users.") in LASTING, where
        assert str(visitor) not in rows, where
    others = f"{mongodb(platform)} {redis(stores)} {files(spool)}"
    assert "quince" not in others
    for gone in (maja.id, visitor):
        assert str(gone) not in others
        assert gone.hex not in others.replace("-", "")

    after = export(noor)
    for canary in noor.canaries:
        assert canary in after, canary
    assert after.count(str(noor.id)) >= noors.count(str(noor.id))
    ledger = platform.settings["users"].erasure_ledger
    assert maja.id in {entry.user_id for entry in ErasureLedger(ledger).entries()}
    assert "quince" not in ledger.read_text()

    time.sleep(1)  # until every service has heard that the tokens count no more
    for service, path in (("courses", "/api/courses"), ("chat", "/api/chat/conversations")):
        assert platform.call(service, "GET", path, headers=maja.headers).status_code == 401
