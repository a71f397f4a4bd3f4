"""Imports over HTTP."""

import gzip
from collections import Counter
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

import pytest
from api_users import ApiUser
from course_archives import DEMO_COURSE, DEMO_COURSE_MISSING, SMALL, targz
from fastapi.testclient import TestClient
from sqlalchemy import text

from courses_service.imports import archive_upload
from courses_service.olx.reader import ParsedCourse, read_olx
from courses_service.tables import metadata

IMPORT = "/api/courses/import"
OTHER_TRANSACTIONS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
)


@pytest.fixture
def count_rows(database):
    """Count the rows of all tables but idempotency_keys."""

    def count() -> int:
        tables = [table.name for table in metadata.sorted_tables if table.name != "idempotency_keys"]
        with database.transaction() as db:
            return sum(db.scalars(text(f"SELECT count(*) FROM {name}")).one() for name in tables)

    return count


def test_upload_without_token_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post(IMPORT, files={"file": ("c.tar.gz", targz())})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_students_and_researchers_may_not_import(client, make_user) -> None:
    for role in ("student", "researcher"):
        assert make_user(client, role).upload(targz()).status_code == 403


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
def test_invalid_archive_is_refused_and_stores_nothing(
    teacher: ApiUser, count_rows, archive: bytes, status: int, code: str
) -> None:
    answer = teacher.upload(archive)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert count_rows() == 0


def test_wrong_form_fields_are_refused(teacher: ApiUser) -> None:
    for body in (
        {"data": {"file": "text"}},
        {"files": {"other": ("c.tar.gz", targz())}},
        {"json": {}},
        {"files": {"file": ("c.tar.gz", targz())}, "data": {"extra": "x"}},
    ):
        answer = teacher.client.post(IMPORT, headers=teacher.headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


def test_malformed_multipart_body_is_refused(teacher: ApiUser) -> None:
    broken = {**teacher.headers, "Content-Type": "multipart/form-data; boundary=x"}
    assert teacher.client.post(IMPORT, headers=broken, content=b"nothing of the kind").status_code in (
        400,
        422,
    )


def test_archive_over_the_size_limit_is_refused(teacher: ApiUser, monkeypatch) -> None:
    monkeypatch.setattr(archive_upload, "MAX_ARCHIVE_BYTES", 1000)
    answer = teacher.upload(gzip.compress(b"x" * 2000, 0))
    assert (answer.status_code, answer.json()["code"]) == (413, "archive_too_large")


def test_only_the_import_route_accepts_large_bodies(teacher: ApiUser) -> None:
    large = {"title": "x", "description": "x" * 2_000_000}
    assert teacher.post("/api/courses", large).status_code == 413
    announced = {**teacher.headers, "Content-Length": str(archive_upload.MAX_UPLOAD_BYTES + 1)}
    assert teacher.client.post(IMPORT, headers=announced, content=b"").status_code == 413


def test_import_of_a_small_course(teacher: ApiUser, learner: ApiUser, events) -> None:
    report = teacher.imports(targz())
    assert report["title"] == "Small course"
    assert report["source"] == "Acme+CS1+2026"
    assert report["counts"] == {"sections": 1, "lessons": 1, "quizzes": 1, "questions": 1, "blocks": 6}
    assert [entry["kind"] for entry in report["not_taken_over"]] == ["markup", "video", "wiki", "static file"]
    shown = learner.get(f"/api/courses/{report['course_id']}").json()
    assert (shown["status"], shown["instructor_id"]) == ("published", str(teacher.id))
    (event,) = events()
    assert (event["type"], event["actor_id"]) == ("course.imported", str(teacher.id))
    assert event["data"] == {"course_id": report["course_id"], "lessons": 1, "quizzes": 1}


def test_repeated_archive_is_refused_and_names_the_course(
    teacher: ApiUser, other_teacher: ApiUser, count_rows
) -> None:
    report = teacher.imports(targz())
    rows = count_rows()
    again = teacher.upload(targz())
    assert (again.status_code, again.json()["code"]) == (409, "already_imported")
    assert again.headers["location"] == f"/api/courses/{report['course_id']}"
    assert report["course_id"] in again.json()["detail"]
    assert count_rows() == rows
    assert other_teacher.imports(targz())["course_id"] != report["course_id"]


def test_repeated_idempotency_key_returns_the_first_response(teacher: ApiUser) -> None:
    first = teacher.upload(targz(), key="import-1")
    again = teacher.upload(targz(), key="import-1")
    assert (again.status_code, again.json()) == (201, first.json())
    other = teacher.upload(targz(SMALL | {"static/more.txt": "x"}), key="import-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_only_owner_and_admin_read_the_import_report(teacher, other_teacher, learner, admin, course) -> None:
    path = f"/api/courses/{course['course_id']}/import-report"
    assert learner.get(path).status_code == 403
    assert other_teacher.get(path).json()["code"] == "not_your_course"
    assert teacher.get(path).json() == course
    assert admin.get(path).json() == course


def test_course_without_import_has_no_report(teacher: ApiUser) -> None:
    answer = teacher.get(f"/api/courses/{teacher.creates()['id']}/import-report")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_imported")


def test_no_connection_is_in_use_while_the_archive_is_parsed(
    committing_client: TestClient, make_user, monkeypatch
) -> None:
    database = committing_client.app.state.database
    connections_in_use: list[int] = []
    transactions: list[int] = []

    def parse(archive: BinaryIO) -> ParsedCourse:
        connections_in_use.append(database.engine.pool.checkedout())
        with database.transaction() as db:
            transactions.append(db.scalars(OTHER_TRANSACTIONS).one())
        return read_olx(archive)

    monkeypatch.setattr(archive_upload, "read_olx", parse)
    make_user(committing_client, "instructor").imports(targz())
    assert connections_in_use == [0]
    assert transactions == [0]


@pytest.mark.parametrize("key", [None, "import-1"], ids=["without key", "with idempotency key"])
def test_upload_is_hashed_once(teacher: ApiUser, monkeypatch, key: str | None) -> None:
    """Each byte is read once by the hash and once by the parser."""
    read_by = _count_reads(monkeypatch)
    archive = targz()
    assert teacher.upload(archive, key=key).status_code == 201
    assert read_by == {"hash": len(archive), "parser": len(archive)}


def test_import_of_the_open_edx_demo_course(teacher: ApiUser, learner: ApiUser) -> None:
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


def _count_reads(monkeypatch) -> Counter[str]:
    """Count the bytes of uploads that the hash and the parser read."""
    read_by: Counter[str] = Counter()
    reader = ["other"]

    def named(function: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
        def call(archive: Any) -> Any:
            reader[0] = name
            try:
                return function(archive)
            finally:
                reader[0] = "other"

        return call

    read = SpooledTemporaryFile.read

    def counting_read(file: Any, *args: int) -> bytes:
        data = read(file, *args)
        read_by.update({reader[0]: len(data)} if data else {})
        return data

    monkeypatch.setattr(archive_upload, "_sha256", named(archive_upload._sha256, "hash"))
    monkeypatch.setattr(archive_upload, "read_olx", named(read_olx, "parser"))
    monkeypatch.setattr(SpooledTemporaryFile, "read", counting_read)
    return read_by
