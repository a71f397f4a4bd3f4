"""Handing out and erasing what is held on a person, whatever the stores are."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from cogniflow_kit.errors import Unprocessable
from cogniflow_kit.personal_data import PAGE, Key, PersonalData


class Numbers:
    """A store with some numbered records of everybody."""

    def __init__(self, store: str, count: int) -> None:
        self.store = store
        self.records = [(f"{number:06}", {"number": number}) for number in range(count)]

    def read(self, _: UUID, after: Key | None, limit: int) -> list[tuple[Key, Mapping[str, Any]]]:
        behind = [(key, record) for key, record in self.records if after is None or key > after[0]]
        return [([key], record) for key, record in behind[:limit]]

    def erase(self, _: UUID) -> int:
        count = len(self.records)
        self.records.clear()
        return count


@pytest.mark.parametrize(
    "counts", [(0,), (1, 0, 2), (PAGE,), (PAGE, 1), (PAGE - 1, 1, 1), (3 * PAGE + 1, 0, PAGE)]
)
def test_pages_hold_everything_once_and_in_order(counts):
    stores = [Numbers(f"store {number}", count) for number, count in enumerate(counts)]
    held = PersonalData(stores)
    found = [(held.store, held.record["number"]) for held in held.records(uuid4())]
    assert found == [(store.store, number) for store in stores for number in range(len(store.records))]


def test_no_page_is_longer_than_the_limit():
    held = PersonalData([Numbers("one", PAGE - 1), Numbers("other", PAGE)])
    first = held.page(uuid4())
    assert len(first.items) == PAGE
    assert len(held.page(uuid4(), first.next_cursor).items) == PAGE - 1


def test_an_erasure_counts_a_store_that_is_listed_twice_in_all():
    held = PersonalData([Numbers("one", 2), Numbers("one", 3), Numbers("other", 0)])
    assert held.erase(uuid4()).erased == {"one": 5, "other": 0}
    assert held.erase(uuid4()).erased == {"one": 0, "other": 0}


@pytest.mark.parametrize(
    "cursor", ["", "!", "bm9uc2Vuc2U", "WzEsIFtdXQ", "Wy0xLCBbXV0", "W10", "WzAsIFsiXHUwMDAwIl1d"]
)
def test_a_cursor_that_was_made_up_is_refused_or_begins_anew(cursor):
    held = PersonalData([Numbers("one", 1)])
    if cursor == "":
        assert len(held.page(uuid4(), cursor).items) == 1
        return
    with pytest.raises(Unprocessable):
        held.page(uuid4(), cursor)
