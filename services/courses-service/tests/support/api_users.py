"""A user who calls the API in tests."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from httpx import Response


@dataclass
class ApiUser:
    """`headers` contain the user's access token."""

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
        """Import a valid archive and return its report."""
        answer = self.upload(archive)
        assert answer.status_code == 201, answer.text
        report: dict[str, Any] = answer.json()
        return report

    def creates(self, **fields: Any) -> dict[str, Any]:
        """Create a course, a draft unless `status` is given."""
        status = fields.pop("status", "draft")
        made = self.post("/api/courses", {"title": "By hand", **fields})
        assert made.status_code == 201, made.text
        path = f"/api/courses/{made.json()['id']}"
        answer = self.patch(path, {"status": status}) if status != "draft" else made
        course: dict[str, Any] = answer.json()
        return course
