"""Learners who sign all they write, and what the platform does with their data when they ask for it."""

import io
import json
import time
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from four_services import PASSWORD, FourServices
from service_routes import SERVICES, part
from sqlalchemy import text, update

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.events import EventSender
from cogniflow_kit.ids import utc_now
from users_service.tables import ErasureRequest

WORDS = (
    *("name", "mail", "full", "bio", "attempt", "question", "answer"),
    *("voice", "spoken", "visit", "summed", "note", "spool"),
)
_PATIENCE = 5


@dataclass
class Learner:
    """Somebody with an account, who signs all they write."""

    platform: FourServices
    sign: str
    id: UUID
    headers: dict[str, str]

    def call(
        self, service: str, method: str, path: str, *, extra: dict[str, str] | None = None, **kwargs: Any
    ) -> Any:
        """The answer's JSON, or its bytes; `extra` headers go beside the token.

        On a busy machine a store may seem away: then it asks again, as every client is told to.
        """
        kwargs["headers"] = self.headers | (extra or {})
        answer = self.platform.call(service, method, path, **kwargs)
        for _ in range(_PATIENCE):
            if answer.status_code != 503:
                break
            time.sleep(float(answer.headers["Retry-After"]))
            answer = self.platform.call(service, method, path, **kwargs)
        assert answer.is_success, answer.text
        is_json = answer.headers.get("content-type") == "application/json" and answer.content
        return answer.json() if is_json else answer.content

    @property
    def canaries(self) -> set[str]:
        return {f"{word}-{self.sign}" for word in WORDS}


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


def deliver_facts(platform: FourServices) -> None:
    """What the relays of the workers do."""
    for service in SERVICES:
        settings = platform.settings[service]
        worker = part(service, "worker").build_worker(settings)
        deliver = EventSender(ServiceClient(settings, "analytics-service", settings.analytics_url))
        for outbox in worker.outboxes:
            while outbox.relay_batch(deliver):
                pass


def work(platform: FourServices, job: str, **arguments: str) -> None:
    """What the worker of users-service does with one job."""
    worker = part("users", "worker").build_worker(platform.settings["users"])
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
