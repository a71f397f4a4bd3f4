"""The signing key is replaced while everybody is busy, and nobody is refused who shouldn't be."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import httpx
import pytest
from four_services import FourServices
from jose import jwt

READS = {"users": "/api/users/me", "courses": "/api/courses", "chat": "/api/programs"}
BUSY = 4


@dataclass
class Traffic:
    """What people did meanwhile. `first`: the tokens they began with; `keys`: whose signatures they got."""

    calls: int = 0
    refused: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    keys: list[set[str]] = field(default_factory=list)

    def everybody_has(self, kid: str) -> bool:
        return len(self.keys) == BUSY and all(kid in seen for seen in self.keys)


def refresh_and_read(platform: FourServices, refresh_token: str, traffic: Traffic, stop: Event) -> None:
    seen: set[str] = set()
    traffic.keys.append(seen)
    with httpx.Client(timeout=30, trust_env=False) as client:
        while not stop.is_set():
            url = f"{platform.urls['users']}/api/auth/refresh"
            answers = {url: client.post(url, json={"refresh_token": refresh_token})}
            pair = answers[url].json()
            if answers[url].is_success:
                refresh_token = pair["refresh_token"]
                seen.add(jwt.get_unverified_header(pair["access_token"])["kid"])
                headers = {"Authorization": f"Bearer {pair['access_token']}"}
                for service, path in READS.items():
                    url = platform.urls[service] + path
                    answers[url] = client.get(url, headers=headers)
            traffic.calls += len(answers)
            wrong = (f"{url}: {answer.text}" for url, answer in answers.items() if not answer.is_success)
            traffic.refused.extend(wrong)
            stop.wait(0.05)


@contextmanager
def busy(platform: FourServices) -> Iterator[Traffic]:
    traffic, stop = Traffic(), Event()
    with ThreadPoolExecutor(BUSY) as pool:
        working: list[Future[None]] = []
        for _ in range(BUSY):
            pair = platform.log_in(platform.account().username).json()
            traffic.first.append(pair["access_token"])
            working.append(pool.submit(refresh_and_read, platform, pair["refresh_token"], traffic, stop))
        try:
            yield traffic
        finally:
            stop.set()
            for work in working:
                work.result()


@pytest.mark.slow
def test_no_token_is_wrongly_refused_while_keys_are_rotated(platform: FourServices) -> None:
    admin = platform.person("admin")
    with busy(platform) as traffic:
        time.sleep(0.5)
        for _ in range(2):
            answer = platform.call("users", "POST", "/api/admin/keys/rotate", headers=admin.headers)
            rotation = answer.raise_for_status().json()
            time.sleep(1)
        deadline = time.monotonic() + rotation["signs_in"] + 20
        while not traffic.everybody_has(rotation["kid"]):
            assert time.monotonic() < deadline, f"nobody signs with the new key; seen: {traffic.keys}"
            time.sleep(0.1)
        time.sleep(1)
    assert not traffic.refused, f"{len(traffic.refused)} of {traffic.calls}: {traffic.refused[:5]}"
    for token in traffic.first:
        for service, path in READS.items():
            answer = platform.call(service, "GET", path, headers={"Authorization": f"Bearer {token}"})
            assert answer.is_success, f"{service} refused a token of the key before: {answer.text}"
