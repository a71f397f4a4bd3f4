"""Export and erasure of the personal data that a service stores.

A service lists its tables and collections as sources in a `PersonalData` at
`app.state.personal_data`; both routes work through that list.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from cogniflow_kit.errors import Unprocessable
from cogniflow_kit.identity import requires_scope
from cogniflow_kit.schemas import ResponseBody

EXPORT_SCOPE = "people:export"
ERASE_SCOPE = "people:erase"
PAGE = 200

Key = list[str]
"""Position of a record in its store; keys sort as the store sorts them."""


class PersonalDataSource(Protocol):
    """A table, collection or key space with personal data."""

    store: str
    """Name in exports and receipts, such as `postgresql.enrollments`."""

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        """The user's records after this key, ordered by key."""

    def erase(self, user_id: UUID) -> int:
        """Delete or anonymize the user's records; returns their number."""


class HeldRecord(ResponseBody):
    store: str
    record: dict[str, Any]


class HeldPage(ResponseBody):
    """A slice of everything; `next_cursor` fetches the following one, null ends it."""

    items: list[HeldRecord]
    next_cursor: str | None = None


class Erased(ResponseBody):
    """A receipt: the number of records by store."""

    erased: dict[str, int]


class PersonalData:
    """All sources of a service. Erasure follows their order, so children stand before parents."""

    def __init__(self, sources: Sequence[PersonalDataSource]) -> None:
        self._sources = sources

    @property
    def stores(self) -> list[str]:
        return [source.store for source in self._sources]

    def page(self, user_id: UUID, cursor: str | None = None) -> HeldPage:
        """At most `PAGE` records of the user, so that memory use is bounded."""
        first, after = _decode(cursor, len(self._sources)) if cursor else (0, None)
        items: list[HeldRecord] = []
        for number, source in enumerate(self._sources[first:], first):
            rows = source.read(user_id, after, PAGE - len(items))
            items += [HeldRecord(store=source.store, record=dict(record)) for _, record in rows]
            if len(items) == PAGE:
                return HeldPage(items=items, next_cursor=_encode(number, rows[-1][0]))
            after = None
        return HeldPage(items=items)

    def records(self, user_id: UUID) -> Iterator[HeldRecord]:
        cursor: str | None = None
        while True:
            page = self.page(user_id, cursor)
            yield from page.items
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def erase(self, user_id: UUID) -> Erased:
        """Erase in each source separately; can be repeated after one of them was unavailable."""
        erased: Counter[str] = Counter()
        for source in self._sources:
            erased[source.store] += source.erase(user_id)
        return Erased(erased=erased)


def _encode(number: int, key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps([number, key]).encode()).decode().rstrip("=")


def _decode(cursor: str, sources: int) -> tuple[int, Key]:
    try:
        number, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position, strings = int(number), [str(part) for part in key]
        readable = b"\0" not in "".join(strings).encode()
    except (TypeError, ValueError) as error:
        raise Unprocessable("The cursor isn't one of ours.") from error
    if not (readable and 0 <= position < sources):
        raise Unprocessable("The cursor isn't one of ours.")
    return position, strings


router = APIRouter(prefix="/internal/people/{user_id}", tags=["people"])


async def _personal_data(request: Request) -> PersonalData:
    found: PersonalData = request.app.state.personal_data
    return found


Data = Annotated[PersonalData, Depends(_personal_data)]
Cursor = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]+$", max_length=4000)]


@router.get("/export", dependencies=[Depends(requires_scope(EXPORT_SCOPE))])
def export(user_id: UUID, data: Data, cursor: Cursor = None) -> HeldPage:
    """Everything this service holds on a person, page by page; a stranger's is empty."""
    return data.page(user_id, cursor)


@router.post("/erase", dependencies=[Depends(requires_scope(ERASE_SCOPE))])
def erase(user_id: UUID, data: Data) -> Erased:
    """Erase a person. Asked again, it erases what has come since, usually nothing."""
    return data.erase(user_id)
