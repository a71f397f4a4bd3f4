"""Reads files into sources: their kind, their records and a ledger. Needs no database."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from legacy_import.bot_database.sqlite import MAGIC, open_dump, open_file
from legacy_import.bot_database.tables import BotReader
from legacy_import.conversions import decode
from legacy_import.file_kinds import Kind, detect_format, guess_kind, split_by_kind
from legacy_import.json_records import InvalidJson, load_json
from legacy_import.ledger import Ledger
from legacy_import.records import BotRecords, ProgressRecord, WeekRecord
from legacy_import.session_files import StatesReader, read_progress
from legacy_import.week_modules.draft import DraftBuilder, ProgramDraft
from legacy_import.week_modules.reader import Constants, Unreadable, read_constants
from legacy_import.week_modules.values import Value
from legacy_import.week_modules.week import WeekModule, WeekReader, is_week_module

MAX_TEXT = 256 * 1024 * 1024
_ORDER: tuple[Kind, ...] = ("week_modules", "progress", "states", "bot", "unknown")

Content = ProgramDraft | list[ProgressRecord] | list[WeekRecord] | BotRecords | None


@dataclass
class Source:
    """Files that are imported in one transaction.

    `checksum`: SHA-256 of the bytes; `content`: None if nothing can be imported.
    """

    kind: Kind
    names: list[str]
    checksum: str
    ledger: Ledger = field(default_factory=Ledger)
    content: Content = None

    @property
    def name(self) -> str:
        return ", ".join(self.names)


@dataclass(frozen=True)
class _InputFile:
    path: Path
    raw: bytes

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


class SourceReader:
    """`slug`: of the program that week modules become; `zone`: of times without a zone."""

    def __init__(self, slug: str, zone: tzinfo = UTC) -> None:
        self._slug = slug
        self._zone = zone
        self._sources: list[Source] = []
        self._modules: list[tuple[_InputFile, str]] = []

    def read(self, paths: Sequence[Path]) -> list[Source]:
        """All sources, in the order in which they must be applied."""
        for path in files(paths):
            self._read_path(path)
        if self._modules:
            self._sources.append(_week_modules(self._modules, self._slug))
        return sorted(self._sources, key=lambda source: _ORDER.index(source.kind))

    def _read_path(self, path: Path) -> None:
        try:
            if not path.is_file():
                self._refuse(path, "there is no such file")
                return
            with path.open("rb") as file:
                start = file.read(len(MAGIC))
            if start == MAGIC:
                self._sources.append(self._sqlite_file(path))
            elif path.stat().st_size > MAX_TEXT:
                self._refuse(path, f"it is larger than {MAX_TEXT // 1024 // 1024} MB")
            else:
                self._read_text(_InputFile(path, path.read_bytes()))
        except OSError as error:
            self._refuse(path, f"it can't be read: {error.strerror}")

    def _refuse(self, path: Path, reason: str, kind: Kind = "unknown", checksum: str = "") -> None:
        source = Source(kind, [str(path)], checksum)
        source.ledger.error(str(path), reason)
        self._sources.append(source)

    def _read_text(self, file: _InputFile) -> None:
        text, encoding = decode(file.raw)
        match detect_format(text):
            case "json":
                self._read_json(file, text)
            case "sql":
                self._sources.append(self._sql_dump(file, text))
            case "python":
                self._modules.append((file, text))
                return
            case _:
                reason = "it is empty" if not text.strip() else "its content is of no known kind"
                self._refuse(file.path, reason, checksum=file.checksum)
        if encoding not in ("utf-8", "utf-8-sig", "ascii"):
            self._sources[-1].ledger.warn(str(file.path), f"not UTF-8; read as {encoding}")

    def _read_json(self, file: _InputFile, text: str) -> None:
        place, ledger = str(file.path), Ledger()
        try:
            value = load_json(text, place, ledger)
        except InvalidJson as error:
            self._refuse(file.path, str(error), guess_kind(text), file.checksum)
            return
        found = split_by_kind(value, default_id=f"file-{file.checksum[:12]}")
        if not found:
            self._refuse(file.path, "JSON without progress or states", checksum=file.checksum)
        for index, (kind, records) in enumerate(found):
            source = Source(kind, [place], file.checksum, ledger if index == 0 else Ledger())
            if kind == "states":
                source.content = StatesReader(place, source.ledger, self._zone).read(records)
            else:
                source.content = read_progress(records, place, source.ledger, self._zone)
            self._sources.append(source)

    def _sqlite_file(self, path: Path) -> Source:
        with path.open("rb") as file:
            source = Source("bot", [str(path)], hashlib.file_digest(file, "sha256").hexdigest())
        try:
            with open_file(path) as connection:
                source.content = BotReader(connection, str(path), source.ledger, self._zone).read()
        except (sqlite3.Error, ValueError) as error:
            _refuse_damaged(source, error)
        return source

    def _sql_dump(self, file: _InputFile, text: str) -> Source:
        source = Source("bot", [str(file.path)], file.checksum)
        try:
            with open_dump(text, str(file.path), source.ledger) as connection:
                source.content = BotReader(connection, str(file.path), source.ledger, self._zone).read()
        except (sqlite3.Error, ValueError) as error:
            _refuse_damaged(source, error)
        return source


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """Each file once; folders are searched, except for hidden and compiled files."""
    seen: set[Path] = set()
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if path.is_dir() and (not file.is_file() or _is_ignored(file.relative_to(path))):
                continue
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _is_ignored(path: Path) -> bool:
    parts_aside = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return parts_aside or path.suffix in (".pyc", ".md") or path.name.endswith(("-wal", "-shm", "-journal"))


def _refuse_damaged(source: Source, error: Exception) -> None:
    """Refuse a damaged database as a whole, since the missing rows can't be known."""
    source.content = None
    source.ledger = Ledger()
    source.ledger.error(source.name, f"the database is damaged or takes too long: {error}")


class _Modules:
    """Constants of the given modules; each is read when first needed, since modules may import each other."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._texts = dict(given)
        self._results: dict[str, Constants | Unreadable] = {}
        self._in_progress: set[str] = set()

    def read(self, stem: str) -> Constants:
        """Raises: Unreadable."""
        if stem not in self._results:
            self._in_progress.add(stem)
            try:
                self._results[stem] = read_constants(self._texts[stem], self)
            except Unreadable as error:
                self._results[stem] = error
            self._in_progress.discard(stem)
        found = self._results[stem]
        if isinstance(found, Unreadable):
            raise found
        return found

    def constants(self, module: str) -> Mapping[str, Value] | None:
        if module not in self._texts or module in self._in_progress:
            return None
        try:
            return self.read(module).values
        except Unreadable:
            return None


def _week_modules(given: Sequence[tuple[_InputFile, str]], slug: str) -> Source:
    """All modules form one source, because they become one program."""
    checksum = hashlib.sha256("".join(sorted(file.checksum for file, _ in given)).encode()).hexdigest()
    source = Source("week_modules", [str(file.path) for file, _ in given], checksum)
    ledger, weeks = source.ledger, dict[int, WeekModule]()
    names = [file.path.stem for file, _ in given]
    stems = [name if names.count(name) == 1 else f"{name}#{index}" for index, name in enumerate(names)]
    modules = _Modules({stem: text for stem, (_, text) in zip(stems, given, strict=True)})
    for stem, (file, _) in zip(stems, given, strict=True):
        place, encoding = str(file.path), decode(file.raw)[1]
        if encoding not in ("utf-8", "utf-8-sig"):
            ledger.warn(place, f"not UTF-8; read as {encoding}")
        _read_week(modules, stem, place, ledger, weeks)
    if weeks:
        source.content = DraftBuilder(slug, ledger).build(list(weeks.values()))
    elif not ledger.has_errors:
        ledger.error(source.name, "none of the modules holds a week")
    return source


def _read_week(
    modules: _Modules, stem: str, place: str, ledger: Ledger, weeks: dict[int, WeekModule]
) -> None:
    try:
        constants = modules.read(stem)
    except Unreadable as error:
        ledger.count_read("modules")
        ledger.skip("modules", place, "it can't be read")
        ledger.error(place, str(error))
        return
    if not is_week_module(constants):
        ledger.note(place, "it defines no week; modules that import it can use its constants")
        return
    own = Ledger()
    week = WeekReader(place, constants, own).read()
    if week is not None and week.number in weeks:
        own.skip_rest(f"week {week.number} is in {weeks[week.number].path} already")
        own.warn(
            place, f"two modules for week {week.number}: {weeks[week.number].path} is taken, this one left"
        )
    elif week is not None and not week.questions:
        own.skip_rest("its week has no question that can be read")
        own.error(place, f"week {week.number} has no question that can be read; it is left out")
    elif week is not None:
        weeks[week.number] = week
    ledger.merge(own)
