"""The zip archive of an export, stored in chunks."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from cogniflow_kit.ids import utc_now
from cogniflow_kit.sql.database import Database
from users_service.privacy.personal_data import DataSource
from users_service.privacy.repository import ExportRepository

CHUNK_BYTES = 1 << 20

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


class _ChunkFile:
    """A write-only file that stores its content as rows, with at most CHUNK_BYTES in memory."""

    def __init__(self, database: Database, export_id: UUID) -> None:
        self._database = database
        self._export_id = export_id
        self._pending = bytearray()
        self._number = 0

    def write(self, data: bytes) -> int:
        self._pending += data
        while len(self._pending) >= CHUNK_BYTES:
            self._store(CHUNK_BYTES)
        return len(data)

    def flush(self) -> None:
        """Do nothing: `write` stores full chunks, `close` stores the last one."""

    def close(self) -> None:
        if self._pending:
            self._store(len(self._pending))

    def _store(self, size: int) -> None:
        with self._database.transaction() as db:
            ExportRepository(db).add_chunk(self._export_id, self._number, bytes(self._pending[:size]))
        del self._pending[:size]
        self._number += 1


class ArchiveWriter:
    """Writes one archive, after deleting what an earlier attempt stored."""

    def __init__(self, database: Database, export_id: UUID) -> None:
        with database.transaction() as db:
            ExportRepository(db).delete_chunks(export_id)
        self._chunks = _ChunkFile(database, export_id)
        # ZipFile writes sequentially to a file without `seek` and `tell`.
        self._zip: ZipFile = ZipFile(self._chunks, "w", ZIP_DEFLATED)
        self._counts: list[tuple[str, str, int]] = []

    def add(self, part: str, source: DataSource, user_id: UUID) -> None:
        """Add one service's file: `{"store": [record, …], …}`, with one record per line."""
        name = f"{part}-service.json"
        store, count, records = None, 0, source.records(user_id)
        with self._zip.open(name, "w", force_zip64=True) as file:
            file.write(b"{")
            for item in records:
                if item.store != store:
                    self._count(name, store, count)
                    file.write((b"\n]," if store else b"") + f"\n{json.dumps(item.store)}: [".encode())
                    store, count = item.store, 0
                file.write((b",\n" if count else b"\n") + _json(item.record))
                count += 1
            file.write(b"\n]\n}\n" if store else b"}\n")
        self._count(name, store, count)

    def close(self) -> None:
        """Add the index page and finish the archive."""
        rows = "\n".join(
            f'<tr><td><a href="{escape(name)}">{escape(name)}</a></td><td>{escape(store)}</td>'
            f"<td>{count}</td></tr>"
            for name, store, count in self._counts
        )
        page = _PAGE.format(moment=utc_now().strftime("%d %B %Y, %H:%M UTC"), rows=rows)
        self._zip.writestr("index.html", page)
        self._zip.close()
        self._chunks.close()

    def _count(self, name: str, store: str | None, count: int) -> None:
        if store is not None:
            self._counts.append((name, store, count))


def _json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, default=str).encode()


def read_archive(database: Database, export_id: UUID) -> Iterator[bytes]:
    """Yield the archive in chunks, each read in a transaction of its own."""
    number = 0
    while True:
        with database.transaction() as db:
            chunk = ExportRepository(db).chunk(export_id, number)
        if chunk is None:
            return
        yield chunk
        number += 1
