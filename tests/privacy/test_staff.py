"""What staff did for everybody stays when they are erased, without their name on it."""

from typing import Any
from uuid import uuid4

import pytest
import yaml
from everywhere import mongodb, postgresql, redis
from four_services import FourServices, Person

from cogniflow_dev.stores import Stores

INTAKE = "/api/programs/support-intake"


@pytest.fixture
def admin(platform: FourServices) -> Person:
    return platform.person("admin")


def act(platform: FourServices, admin: Person) -> None:
    """Everything in chat-service that is written down with who did it."""

    def call(method: str, path: str, **kwargs: Any) -> Any:
        headers = admin.headers | kwargs.pop("headers", {})
        answer = platform.call("chat", method, path, headers=headers, **kwargs)
        assert answer.is_success, answer.text
        return answer

    [newest, *_] = call("GET", f"{INTAKE}/versions").json()["items"]
    program = yaml.safe_load(call("GET", f"{INTAKE}/versions/{newest['version']}/source").content)
    version = program["version"] = newest["version"] + 1
    source = yaml.safe_dump(program).encode()
    call("POST", f"{INTAKE}/versions", content=source, headers={"Content-Type": "application/yaml"})
    call("PUT", f"{INTAKE}/labels/candidate", json={"version": version})
    arms = [{"version": newest["version"]}, {"version": version}]
    call("POST", f"{INTAKE}/experiments", json={"name": "two texts", "arms": arms})
    call("PUT", "/api/settings/anonymous.sessions_per_hour", json={"value": 900})

    begun = platform.call("chat", "POST", f"{INTAKE}/start-anonymously").json()
    path = f"/api/programs/sessions/{begun['session']['id']}/answer"
    words = {"text": "I want to kill myself.", "client_message_id": str(uuid4())}
    key = {"X-Session-Key": begun["session_key"]}
    assert platform.call("chat", "POST", path, json=words, headers=key).is_success
    queue = call("GET", "/api/safety/reviews?status=open&limit=100").json()["items"]
    details = (call("GET", f"/api/safety/reviews/{waiting['id']}").json() for waiting in queue)
    [review] = [detail for detail in details if detail["session_id"] == begun["session"]["id"]]
    closed = {"outcome": "no_action", "note": "Nobody can be reached."}
    call("POST", f"/api/safety/reviews/{review['id']}/close", json=closed)


def test_what_staff_did_stays_without_their_name(
    platform: FourServices, stores: Stores, admin: Person
) -> None:
    act(platform, admin)
    signed = [name for name, rows in postgresql(platform).items() if str(admin.id) in rows]
    assert {
        "chat.program_versions",
        "chat.program_labels",
        "chat.program_label_moves",
        "chat.experiments",
        "chat.system_settings",
        "chat.system_setting_changes",
        "chat.risk_reviews",
        "chat.safety_accesses",
    } <= set(signed)

    people = f"/internal/people/{admin.id}"
    token = platform.service_token("chat", "people:export people:erase", "users-service")
    may = {"Authorization": f"Bearer {token}"}
    exported = platform.call("chat", "GET", f"{people}/export", headers=may).json()["items"]
    shown = {f"chat.{item['store'].removeprefix('postgresql.')}" for item in exported}
    assert shown == {name for name in signed if name.startswith("chat.")}
    assert "Nobody can be reached." not in str(exported), "it is about somebody else"

    before = {name: rows.count("\n") for name, rows in postgresql(platform).items() if name in signed}
    erased = platform.call("chat", "POST", f"{people}/erase", headers=may)
    assert erased.status_code == 200, erased.text
    after = postgresql(platform)
    assert {name: after[name].count("\n") for name in before} == before, "no row goes"
    assert [name for name, rows in after.items() if name.startswith("chat.") and str(admin.id) in rows] == []
    assert str(admin.id) not in f"{mongodb(platform)} {redis(stores)}"
    again = platform.call("chat", "POST", f"{people}/erase", headers=may).json()["erased"]
    assert set(again.values()) == {0}
