"""Somebody who calls the service, with their token."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from httpx import Response


@dataclass
class Person:
    client: TestClient
    headers: dict[str, str]
    id: UUID

    def get(self, path: str, **kwargs: Any) -> Response:
        return self.client.get(path, headers=self.headers, **kwargs)

    def post(self, path: str, json: Any = None, *, key: str | None = None, **kwargs: Any) -> Response:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return self.client.post(path, headers=headers, json=json, **kwargs)

    def patch(self, path: str, json: Any) -> Response:
        return self.client.patch(path, headers=self.headers, json=json)

    def upload(self, archive: bytes, *, key: str | None = None) -> Response:
        files = {"file": ("course.tar.gz", archive, "application/gzip")}
        return self.post("/api/courses/import", files=files, key=key)

    def imports(self, archive: bytes) -> dict[str, Any]:
        """Upload an archive that is expected to be taken."""
        answer = self.upload(archive)
        assert answer.status_code == 201, answer.text
        report: dict[str, Any] = answer.json()
        return report

    def creates(self, **fields: Any) -> dict[str, Any]:
        """Make a course by hand: a draft unless `status` says otherwise."""
        status = fields.pop("status", "draft")
        made = self.post("/api/courses", {"title": "By hand", **fields})
        assert made.status_code == 201, made.text
        path = f"/api/courses/{made.json()['id']}"
        answer = self.patch(path, {"status": status}) if status != "draft" else made
        course: dict[str, Any] = answer.json()
        return course
