"""Lists are read slice by slice, without gap or double, whatever the cursor says."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends

from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.schemas import Page, PageRequest, ResponseBody

router = APIRouter()


@dataclass
class Row:
    id: UUID


class Item(ResponseBody):
    id: UUID


ROWS = sorted((Row(new_id()) for _ in range(45)), key=lambda row: row.id)


@router.get("/items")
def items(page: Annotated[PageRequest, Depends()]) -> Page[Item]:
    after = page.after or UUID(int=0)
    found, cursor = page.slice([row for row in ROWS if row.id > after][: page.limit + 1])
    return Page(items=[Item.model_validate(row) for row in found], next_cursor=cursor)


@pytest.fixture
def client(make_client):
    return make_client(router)


@pytest.mark.parametrize("limit", [1, 7, 44, 45, 46, 100])
def test_slices_make_up_the_list(client, limit):
    seen, cursor = [], None
    while True:
        params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get("/items", params=params).json()
        assert 0 < len(page["items"]) <= limit
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [item["id"] for item in seen] == [str(row.id) for row in ROWS]


def test_twenty_at_a_time_unless_told_otherwise(client):
    assert len(client.get("/items").json()["items"]) == 20


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "", "1e9"])
def test_limits_are_checked(client, limit):
    assert client.get("/items", params={"limit": limit}).status_code == 422


@pytest.mark.parametrize(
    "cursor", ["", "x", "=" * 22, "x" * 21, "x" * 23, "ü" * 22, "\x00" * 22, "a+/b" * 6, "' OR 1=1 --"]
)
def test_a_cursor_nobody_gave_out_is_refused(client, cursor):
    answer = client.get("/items", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "query.cursor"


def test_any_22_letters_point_somewhere(client):
    assert client.get("/items", params={"cursor": "_" * 22}).status_code == 200


def test_ids_sort_by_the_time_they_were_made():
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert ids[0].version == 7
    milliseconds = ids[0].int >> 80
    assert abs(milliseconds / 1000 - utc_now().timestamp()) < 5
