"""Many refreshes of one token at once, over real HTTP: the line never forks.

SECURITY_RACES says how many times; a full run races 200 times.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
from four_services import FourServices
from sqlalchemy import select

from users_service.tables import RefreshToken, UserSession

RACES = int(os.environ.get("SECURITY_RACES", "4"))
AT_ONCE = 50


def refresh_until_served(client: httpx.Client, token: str) -> httpx.Response:
    """On a busy machine some wait too long for a connection: they are told so, and ask again."""
    while True:
        answer = client.post("/api/auth/refresh", json={"refresh_token": token})
        if answer.status_code != 503:
            return answer
        time.sleep(0.2)


def test_refreshes_of_one_token_at_once_make_one_successor(platform: FourServices) -> None:
    account = platform.account()
    token = platform.log_in(account.username).json()["refresh_token"]
    limits = httpx.Limits(max_connections=AT_ONCE)
    with (
        ThreadPoolExecutor(AT_ONCE) as pool,
        httpx.Client(base_url=platform.urls["users"], timeout=60, limits=limits, trust_env=False) as client,
    ):
        for _ in range(RACES):
            ready = Barrier(AT_ONCE)

            def refresh(token: str, ready: Barrier = ready) -> httpx.Response:
                ready.wait()
                return refresh_until_served(client, token)

            answers = list(pool.map(refresh, [token] * AT_ONCE))
            assert {answer.status_code for answer in answers} == {200}
            (token,) = {answer.json()["refresh_token"] for answer in answers}
    with platform.database.transaction() as session:
        line = select(RefreshToken).join(UserSession).where(UserSession.user_id == account.id)
        links = list(session.scalars(line))
    assert len(links) == RACES + 1
    assert sum(link.spent_at is None for link in links) == 1
