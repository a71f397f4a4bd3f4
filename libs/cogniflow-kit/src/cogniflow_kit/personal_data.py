"""What a service holds on a person: handed out page by page, and erased, from one list of its stores.

A service lists its tables and collections once, as holdings, in a
`PersonalData` at `app.state.personal_data`. Both routes here work through that list.
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
"""Where in a store a record is; keys sort as PostgreSQL and MongoDB sort them."""


class PersonalDataSource(Protocol):
    """One table, collection or key space with data of people."""

    store: str
    """Such as `postgresql.enrollments`."""

    def read(self, user_id: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        """The person's records behind the key, in the order of keys."""

    def erase(self, user_id: UUID) -> int:
        """Delete the person's records, or cut every tie to the person; how many there were."""


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
    """Everything that a service holds on people. Erased in the order of the list: children first."""

    def __init__(self, holdings: Sequence[PersonalDataSource]) -> None:
        self._holdings = holdings

    @property
    def stores(self) -> list[str]:
        return [holding.store for holding in self._holdings]

    def page(self, user_id: UUID, cursor: str | None = None) -> HeldPage:
        """At most `PAGE` records, so that nobody's data has to fit into memory."""
        first, after = _decode(cursor, len(self._holdings)) if cursor else (0, None)
        items: list[HeldRecord] = []
        for number, holding in enumerate(self._holdings[first:], first):
            rows = holding.read(user_id, after, PAGE - len(items))
            items += [HeldRecord(store=holding.store, record=dict(record)) for _, record in rows]
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
        """Each store by itself: what is done stays done when a later one is away. Repeating is harmless."""
        erased: Counter[str] = Counter()
        for holding in self._holdings:
            erased[holding.store] += holding.erase(user_id)
        return Erased(erased=erased)


def _encode(number: int, key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps([number, key]).encode()).decode().rstrip("=")


def _decode(cursor: str, holdings: int) -> tuple[int, Key]:
    try:
        number, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position, strings = int(number), [str(part) for part in key]
        readable = b"\0" not in "".join(strings).encode()
    except (TypeError, ValueError) as error:
        raise Unprocessable("The cursor isn't one of ours.") from error
    if not (readable and 0 <= position < holdings):
        raise Unprocessable("The cursor isn't one of ours.")
    return position, strings


router = APIRouter(prefix="/internal/people/{user_id}", tags=["people"])


async def _held(request: Request) -> PersonalData:
    held: PersonalData = request.app.state.personal_data
    return held


Held = Annotated[PersonalData, Depends(_held)]
Cursor = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_-]+$", max_length=4000)]


@router.get("/export", dependencies=[Depends(requires_scope(EXPORT_SCOPE))])
def export(user_id: UUID, held: Held, cursor: Cursor = None) -> HeldPage:
    """Everything this service holds on a person, page by page; a stranger's is empty."""
    return held.page(user_id, cursor)


@router.post("/erase", dependencies=[Depends(requires_scope(ERASE_SCOPE))])
def erase(user_id: UUID, held: Held) -> Erased:
    """Erase a person. Asked again, it erases what has come since, usually nothing."""
    return held.erase(user_id)
