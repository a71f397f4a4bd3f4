"""The activity summary, which users-service asks of the other services concurrently."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

import httpx
import structlog

from cogniflow_kit.context import REQUEST_ID_HEADER, request_id
from cogniflow_kit.identity import User
from users_service.profiles.schemas import Activity, Count
from users_service.settings import Settings

log = structlog.stdlib.get_logger(__name__)

TIME_LIMIT_S = 2.0
"""For all services together, so that an unavailable one doesn't hold up the summary."""
_NOT_YET = Count(status="not_available_yet")
_UNAVAILABLE = Count(status="unavailable")


class ActivityReader:
    """Reads a user's counts from the other services, with the user's access token and without retries."""

    def __init__(self, settings: Settings) -> None:
        self._courses_url = f"{settings.courses_url}/api/courses/activity"
        self._chat_url = f"{settings.chat_url}/api/chat/activity"
        self._streak_url = f"{settings.analytics_url}/api/analytics/streak"
        self._http = httpx.Client(timeout=TIME_LIMIT_S, trust_env=False)
        self._pool = ThreadPoolExecutor(max_workers=12, thread_name_prefix="activity")

    def read(self, user: User, timezone: str) -> Activity:
        """Return the activity; parts that don't arrive within TIME_LIMIT_S have status `unavailable`.

        `timezone`: the IANA time zone in which the days of the streak are counted.
        """
        headers = {"Authorization": f"Bearer {user.token}", REQUEST_ID_HEADER: request_id.get() or ""}
        requests = {
            name: self._pool.submit(self._fetch, url, params, headers)
            for name, url, params in (
                ("courses", self._courses_url, {}),
                ("chat", self._chat_url, {}),
                ("streak", self._streak_url, {"timezone": timezone}),
            )
        }
        wait(requests.values(), timeout=TIME_LIMIT_S)
        courses, chat, streak = (self._result(name, request) for name, request in requests.items())
        return Activity(
            courses=_count(courses, "courses"),
            lessons=_count(courses, "lessons"),
            reviews_due=_NOT_YET,
            conversations=_count(chat, "conversations"),
            journal_entries=_NOT_YET,
            meditations=_NOT_YET,
            streak=_count(streak, "days"),
        )

    def _fetch(self, url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> object:
        return self._http.get(url, params=params, headers=headers).raise_for_status().json()

    def _result(self, name: str, request: Future[object]) -> object:
        if not request.done():
            request.cancel()
            log.warning("activity not received in time", part=name)
            return None
        try:
            return request.result()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("activity not received", part=name, error=type(error).__name__)
            return None


def _count(body: object, name: str) -> Count:
    value = body.get(name) if isinstance(body, dict) else None
    return Count(status="ok", count=value) if isinstance(value, int) else _UNAVAILABLE
