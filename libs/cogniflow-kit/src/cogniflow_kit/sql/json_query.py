"""Queries whose result is JSON text that PostgreSQL builds and that goes out as the response body.

For reads on a hot path: no ORM object, no Pydantic model, no second
serialization. PostgreSQL parses such a query once per connection (PREPARE).
"""

import hashlib


class JsonQuery:
    """A SELECT with one column of JSON text, for `Database.read_json`.

    Parameters are $1, $2, … where PostgreSQL can infer their types, else
    CAST($1 AS …).
    """

    def __init__(self, sql: str) -> None:
        self.sql = sql
        # Of the text itself, so that no two queries ever share a name.
        self.name = f"json_{hashlib.sha256(sql.encode()).hexdigest()[:32]}"


def json_time(column: str) -> str:
    """SQL that writes a `timestamptz` as Pydantic does: UTC with `Z`, microseconds unless they are zero."""
    written = f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"replace({written}, '.000000Z', 'Z')"
