"""The archive of an export: a zip file, written and read in pieces."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import delete, insert, select

from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from users_service.privacy.others import Source
from users_service.tables import DataExportChunk

PIECE = 1 << 20

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Your data on CogniFlow</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 45rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border-bottom: 1px solid #767676; padding: .4rem; text-align: left }}
td:last-child, th:last-child {{ text-align: right }}
</style>
</head>
<body>
<main>
<h1>Your data on CogniFlow</h1>
<p>This archive was made on {moment}. It holds everything that the services keep about you, each in a file
of its own. The files are JSON: a browser or a text editor shows them.</p>
<p>Passwords, login tokens and the links in mails are left out: they are keys, and whoever got hold of this
archive could use them.</p>
<table>
<caption>What is in it</caption>
<thead><tr><th scope="col">File</th><th scope="col">Store</th><th scope="col">Records</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</main>
</body>
</html>
"""


class _Pieces:
    """A file that a zip can be written to, kept as rows; never more than a piece of it is in memory."""

    def __init__(self, database: Database, export_id: UUID) -> None:
        self._database = database
        self._export_id = export_id
        self._pending = bytearray()
        self._number = 0

    def write(self, data: bytes) -> int:
        self._pending += data
        while len(self._pending) >= PIECE:
            self._store(PIECE)
        return len(data)

    def flush(self) -> None:
        """Pieces are stored when they are full; `close` stores the last one."""

    def close(self) -> None:
        if self._pending:
            self._store(len(self._pending))

    def _store(self, size: int) -> None:
        row = {"export_id": self._export_id, "number": self._number, "data": bytes(self._pending[:size])}
        with self._database.transaction() as db:
            db.execute(insert(DataExportChunk), row)
        del self._pending[:size]
        self._number += 1


class ArchiveWriter:
    """Writes one archive anew; what an earlier attempt left is forgotten."""

    def __init__(self, database: Database, export_id: UUID) -> None:
        forget_pieces(database, export_id)
        self._pieces = _Pieces(database, export_id)
        # Without `seek` and `tell` the zip is written in one go.
        self._zip: ZipFile = ZipFile(self._pieces, "w", ZIP_DEFLATED)
        self._counts: list[tuple[str, str, int]] = []

    def add(self, part: str, source: Source, user_id: UUID) -> None:
        """One service's file: `{"store": [record, …], …}`, a record a line."""
        name = f"{part}-service.json"
        store, count, records = None, 0, source.records(user_id)
        with self._zip.open(name, "w", force_zip64=True) as file:
            file.write(b"{")
            for held in records:
                if held.store != store:
                    self._note(name, store, count)
                    file.write((b"\n]," if store else b"") + f"\n{json.dumps(held.store)}: [".encode())
                    store, count = held.store, 0
                file.write((b",\n" if count else b"\n") + _json(held.record))
                count += 1
            file.write(b"\n]\n}\n" if store else b"}\n")
        self._note(name, store, count)

    def close(self) -> None:
        """Add the index and end the archive."""
        rows = "\n".join(
            f'<tr><td><a href="{escape(name)}">{escape(name)}</a></td><td>{escape(store)}</td>'
            f"<td>{count}</td></tr>"
            for name, store, count in self._counts
        )
        page = _PAGE.format(moment=utc_now().strftime("%d %B %Y, %H:%M UTC"), rows=rows)
        self._zip.writestr("index.html", page)
        self._zip.close()
        self._pieces.close()

    def _note(self, name: str, store: str | None, count: int) -> None:
        if store is not None:
            self._counts.append((name, store, count))


def _json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, default=str).encode()


def read_pieces(database: Database, export_id: UUID) -> Iterator[bytes]:
    number = 0
    while True:
        wanted = select(DataExportChunk.data).filter_by(export_id=export_id, number=number)
        with database.transaction() as db:
            piece = db.scalar(wanted)
        if piece is None:
            return
        yield piece
        number += 1


def forget_pieces(database: Database, export_id: UUID) -> None:
    with database.transaction() as db:
        db.execute(delete(DataExportChunk).where(DataExportChunk.export_id == export_id))
