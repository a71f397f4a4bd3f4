"""What somebody did so far, asked of the other services at the same time."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

import httpx
import structlog

from cogniflow_kit.context import REQUEST_ID_HEADER, request_id
from cogniflow_kit.identity import User
from users_service.profiles.schemas import Activity, Count
from users_service.settings import Settings

log = structlog.stdlib.get_logger(__name__)

LIMIT_S = 2.0
"""For all answers together; a summary is not worth waiting longer for."""
_NOT_YET = Count(status="not_available_yet")
_UNAVAILABLE = Count(status="unavailable")


class ActivityReader:
    """Asks with the user's own token. Without repetition: the person can ask again."""

    def __init__(self, settings: Settings) -> None:
        self._learning = f"{settings.courses_url}/api/courses/activity"
        self._talking = f"{settings.chat_url}/api/chat/activity"
        self._streak = f"{settings.analytics_url}/api/analytics/streak"
        self._http = httpx.Client(timeout=LIMIT_S, trust_env=False)
        self._pool = ThreadPoolExecutor(max_workers=12, thread_name_prefix="activity")

    def read(self, user: User, timezone: str) -> Activity:
        """Each part that comes within the limit, and an honest word on the others."""
        headers = {"Authorization": f"Bearer {user.token}", REQUEST_ID_HEADER: request_id.get() or ""}
        asked = {
            name: self._pool.submit(self._ask, url, params, headers)
            for name, url, params in (
                ("learning", self._learning, {}),
                ("talking", self._talking, {}),
                ("streak", self._streak, {"timezone": timezone}),
            )
        }
        wait(asked.values(), timeout=LIMIT_S)
        learning, talking, streak = (self._answer(name, answer) for name, answer in asked.items())
        return Activity(
            courses=_count(learning, "courses"),
            lessons=_count(learning, "lessons"),
            reviews_due=_NOT_YET,
            conversations=_count(talking, "conversations"),
            journal_entries=_NOT_YET,
            meditations=_NOT_YET,
            streak=_count(streak, "days"),
        )

    def _ask(self, url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> object:
        return self._http.get(url, params=params, headers=headers).raise_for_status().json()

    def _answer(self, name: str, answer: Future[object]) -> object:
        if not answer.done():
            answer.cancel()
            log.warning("activity not had in time", part=name)
            return None
        try:
            return answer.result()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("activity not had", part=name, error=type(error).__name__)
            return None


def _count(answer: object, name: str) -> Count:
    value = answer.get(name) if isinstance(answer, dict) else None
    return Count(status="ok", count=value) if isinstance(value, int) else _UNAVAILABLE
