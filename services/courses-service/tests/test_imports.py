"""Importing over HTTP: refusals first, then the real course."""

import gzip
from typing import Any

import pytest
from course_archives import DEMO_COURSE, DEMO_COURSE_MISSING, SMALL, targz
from fastapi.testclient import TestClient
from people import Person
from sqlalchemy import text

from courses_service.imports import upload
from courses_service.tables import metadata

IMPORT = "/api/courses/import"


@pytest.fixture
def stored(database):
    """How many rows the content tables hold."""

    def count() -> int:
        tables = [table.name for table in metadata.sorted_tables if table.name != "idempotency_keys"]
        with database.transaction() as session:
            return sum(session.scalars(text(f"SELECT count(*) FROM {name}")).one() for name in tables)

    return count


def test_a_stranger_is_refused_before_the_upload_is_read(client: TestClient) -> None:
    answer = client.post(IMPORT, files={"file": ("c.tar.gz", targz())})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_students_and_researchers_are_refused(client, someone) -> None:
    for role in ("student", "researcher"):
        assert someone(client, role).upload(targz()).status_code == 403


@pytest.mark.parametrize(
    ("archive", "status", "code"),
    [
        (b"", 422, "malformed_archive"),
        (b"not an archive", 422, "malformed_archive"),
        (targz()[:-30], 422, "malformed_archive"),
        (targz({"../../evil.xml": "x"} | SMALL), 422, "malformed_archive"),
        (
            targz(SMALL | {"vertical/v1.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
            422,
            "malformed_archive",
        ),
        (targz({"readme.txt": "hello"}), 422, "malformed_archive"),
        (targz(SMALL | {"html/h1.html": b"\xff\xfe\x00"}), 422, "malformed_archive"),
        (targz(SMALL | {"vertical/v1.xml": "<vertical/>"}), 422, "nothing_to_import"),
        (targz(SMALL | {"static/bomb": b"\0" * (50 << 20)}), 413, "archive_too_large"),
    ],
    ids=["empty", "noise", "cut off", "path", "entity", "no course", "encoding", "no lessons", "bomb"],
)
def test_a_bad_archive_is_refused_and_nothing_stored(
    teacher: Person, stored, archive: bytes, status: int, code: str
) -> None:
    answer = teacher.upload(archive)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert stored() == 0


def test_a_body_of_another_form_is_refused(teacher: Person) -> None:
    for body in (
        {"data": {"file": "text"}},
        {"files": {"other": ("c.tar.gz", targz())}},
        {"json": {}},
        {"files": {"file": ("c.tar.gz", targz())}, "data": {"extra": "x"}},
    ):
        answer = teacher.client.post(IMPORT, headers=teacher.headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_a_broken_form_is_refused(teacher: Person) -> None:
    broken = {**teacher.headers, "Content-Type": "multipart/form-data; boundary=x"}
    assert teacher.client.post(IMPORT, headers=broken, content=b"nothing of the kind").status_code in (
        400,
        422,
    )


def test_an_upload_over_the_limit_is_refused(teacher: Person, monkeypatch) -> None:
    monkeypatch.setattr(upload, "MAX_ARCHIVE_BYTES", 1000)
    answer = teacher.upload(gzip.compress(b"x" * 2000, 0))
    assert (answer.status_code, answer.json()["code"]) == (413, "archive_too_large")


def test_only_the_import_takes_a_large_body(teacher: Person) -> None:
    large = {"title": "x", "description": "x" * 2_000_000}
    assert teacher.post("/api/courses", large).status_code == 413
    announced = {**teacher.headers, "Content-Length": str(upload.MAX_UPLOAD_BYTES + 1)}
    assert teacher.client.post(IMPORT, headers=announced, content=b"").status_code == 413


def test_a_small_course_is_imported(teacher: Person, learner: Person, facts) -> None:
    report = teacher.imports(targz())
    assert report["title"] == "Small course"
    assert report["source"] == "Acme+CS1+2026"
    assert report["counts"] == {"sections": 1, "lessons": 1, "quizzes": 1, "questions": 1, "blocks": 6}
    assert [entry["kind"] for entry in report["not_taken_over"]] == ["markup", "video", "wiki", "static file"]
    shown = learner.get(f"/api/courses/{report['course_id']}").json()
    assert (shown["status"], shown["instructor_id"]) == ("published", str(teacher.id))
    (fact,) = facts()
    assert (fact["type"], fact["actor_id"]) == ("course.imported", str(teacher.id))
    assert fact["data"] == {"course_id": report["course_id"], "lessons": 1, "quizzes": 1}


def test_the_same_archive_again_is_refused_with_its_course(
    teacher: Person, other_teacher: Person, stored
) -> None:
    report = teacher.imports(targz())
    rows = stored()
    again = teacher.upload(targz())
    assert (again.status_code, again.json()["code"]) == (409, "already_imported")
    assert again.headers["location"] == f"/api/courses/{report['course_id']}"
    assert report["course_id"] in again.json()["detail"]
    assert stored() == rows
    assert other_teacher.imports(targz())["course_id"] != report["course_id"]


def test_a_repeated_request_gives_the_first_answer(teacher: Person) -> None:
    first = teacher.upload(targz(), key="import-1")
    again = teacher.upload(targz(), key="import-1")
    assert (again.status_code, again.json()) == (201, first.json())
    other = teacher.upload(targz(SMALL | {"static/more.txt": "x"}), key="import-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_the_report_is_for_the_owner(teacher, other_teacher, learner, admin, course) -> None:
    path = f"/api/courses/{course['course_id']}/import-report"
    assert learner.get(path).status_code == 403
    assert other_teacher.get(path).json()["code"] == "not_your_course"
    assert teacher.get(path).json() == course
    assert admin.get(path).json() == course


def test_a_course_made_by_hand_has_no_report(teacher: Person) -> None:
    answer = teacher.get(f"/api/courses/{teacher.creates()['id']}/import-report")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_imported")


def test_the_open_edx_demo_course(teacher: Person, learner: Person) -> None:
    if not DEMO_COURSE.exists():
        pytest.skip(DEMO_COURSE_MISSING)
    report = teacher.imports(DEMO_COURSE.read_bytes())
    assert report["counts"] == {"sections": 6, "lessons": 58, "quizzes": 12, "questions": 12, "blocks": 295}
    kinds = {entry["kind"] for entry in report["not_taken_over"]}
    assert {"video", "lti", "static file", "problem", "openassessment", "discussion", "policy"} <= kinds
    assert all(entry["reason"] for entry in report["not_taken_over"])
    outline = learner.get(f"/api/courses/{report['course_id']}/outline").json()
    assert sum(len(section["lessons"]) for section in outline["sections"]) == 58
    learner.post(f"/api/courses/{report['course_id']}/enroll")
    for section in outline["sections"]:
        for lesson in section["lessons"]:
            read: dict[str, Any] = learner.get(f"/api/lessons/{lesson['id']}").json()
            assert len(read["quizzes"]) == lesson["quizzes"]
            assert "<script" not in read["html"]
