"""The other services' side of exports and erasures."""

from collections.abc import Iterator
from uuid import UUID

from cogniflow_kit.clients import ServiceClient
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.personal_data import ERASE_SCOPE, EXPORT_SCOPE, Erased, HeldPage, HeldRecord, PersonalData
from cogniflow_kit.settings import ServiceSettings


class RemoteData:
    """What one other service holds, asked for with tokens of our own; like PersonalData."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    def records(self, user_id: UUID) -> Iterator[HeldRecord]:
        """Raises Unavailable, at any record."""
        params: dict[str, str] = {}
        while True:
            path = f"/internal/people/{user_id}/export"
            answer = self._client.get(path, scope=EXPORT_SCOPE, params=params)
            if answer.status_code != 200:
                raise Unavailable(f"A service answered {answer.status_code} to an export.")
            page = HeldPage.model_validate_json(answer.content)
            yield from page.items
            if page.next_cursor is None:
                return
            params = {"cursor": page.next_cursor}

    def erase(self, user_id: UUID) -> Erased:
        """Raises Unavailable; asking again is harmless."""
        answer = self._client.post(f"/internal/people/{user_id}/erase", scope=ERASE_SCOPE, json=None)
        if answer.status_code != 200:
            raise Unavailable(f"A service answered {answer.status_code} to an erasure.")
        return Erased.model_validate_json(answer.content)


Source = PersonalData | RemoteData


def other_services(settings: ServiceSettings) -> dict[str, RemoteData]:
    """By part name, in the order they are asked: analytics-service last, because the others feed it."""
    addresses = {
        "courses": settings.courses_url,
        "chat": settings.chat_url,
        "analytics": settings.analytics_url,
    }
    return {
        part: RemoteData(ServiceClient(settings, f"{part}-service", url)) for part, url in addresses.items()
    }
