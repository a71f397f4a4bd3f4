"""Logout, lock, role change and the like count in every other service within a second, Redis or not."""

import time
from collections.abc import Callable, Iterator

import pytest
from four_services import FourServices, Person, four_services
from jose import jwt

from cogniflow_dev.testing.environments import ServiceEnvironments

READS = {"courses": "/api/courses", "chat": "/api/programs", "analytics": "/api/analytics/streak"}
CLOSED = "redis://127.0.0.1:9/0"
Deed = Callable[[FourServices, Person, dict[str, str]], None]


def log_out(platform: FourServices, _: Person, own: dict[str, str]) -> None:
    assert platform.call("users", "POST", "/api/auth/logout", headers=own).status_code == 204


def end_all_sessions(platform: FourServices, _: Person, own: dict[str, str]) -> None:
    assert platform.call("users", "DELETE", "/api/auth/sessions", headers=own).status_code == 204


def lock(platform: FourServices, admin: Person, own: dict[str, str]) -> None:
    path = f"/api/users/{user_id(own)}/lock"
    assert platform.call("users", "POST", path, headers=admin.headers).status_code == 200


def change_role(platform: FourServices, admin: Person, own: dict[str, str]) -> None:
    path = f"/api/users/{user_id(own)}/role"
    body = {"role": "instructor"}
    assert platform.call("users", "PUT", path, headers=admin.headers, json=body).status_code == 200


def user_id(own: dict[str, str]) -> str:
    return str(jwt.get_unverified_claims(own["Authorization"].removeprefix("Bearer "))["sub"])


@pytest.fixture(scope="module", params=["Redis up", "Redis away"])
def deployment(
    request: pytest.FixtureRequest, service_environment: ServiceEnvironments
) -> Iterator[FourServices]:
    changes = {} if request.param == "Redis up" else {"redis_url": CLOSED}
    with four_services(service_environment, **changes) as running:
        yield running


@pytest.mark.parametrize("deed", [log_out, end_all_sessions, lock, change_role])
def test_a_token_stops_working_everywhere(deployment: FourServices, deed: Deed) -> None:
    admin = deployment.person("admin")
    pair = deployment.log_in(deployment.account().username).json()
    own = {"Authorization": f"Bearer {pair['access_token']}"}
    for service, path in READS.items():
        answer = deployment.call(service, "GET", path, headers=own)
        assert answer.is_success, f"{service} refuses a good token: {answer.text}"
    deed(deployment, admin, own)
    deadline = time.monotonic() + 1
    waiting = set(READS)
    while waiting and time.monotonic() < deadline:
        statuses = {
            service: deployment.call(service, "GET", READS[service], headers=own).status_code
            for service in waiting
        }
        waiting -= {service for service, status in statuses.items() if status == 401}
        time.sleep(0.02)
    assert not waiting, f"{waiting} still take the token a second after {deed.__name__}"
    goes_on = deployment.call(
        "users", "POST", "/api/auth/refresh", json={"refresh_token": pair["refresh_token"]}
    )
    assert goes_on.status_code == (200 if deed is change_role else 401)
    if deed is change_role:
        claims = jwt.get_unverified_claims(goes_on.json()["access_token"])
        assert claims["role"] == "instructor"
