"""Reads whatever files are given into sources: what each holds, and its account so far. No database."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from legacy_import import json_text
from legacy_import.bot.database import MAGIC, opened_dump, opened_file
from legacy_import.bot.tables import BotReader
from legacy_import.drafting import Draft, Drafting
from legacy_import.ledger import Ledger
from legacy_import.modules.reader import Constants, Unreadable, read_constants
from legacy_import.modules.values import Value
from legacy_import.modules.week import WeekModule, WeekReader, is_week_module
from legacy_import.progress_file import read_progress
from legacy_import.recognition import Kind, kind_of_broken_json, kind_of_text, parts
from legacy_import.records import BotRecords, Position, WeekRecord
from legacy_import.states_file import StatesReader
from legacy_import.text import decode

MAX_TEXT = 256 * 1024 * 1024
_ORDER: tuple[Kind, ...] = ("week_modules", "progress", "states", "bot", "unknown")

Content = Draft | list[Position] | list[WeekRecord] | BotRecords | None


@dataclass
class Source:
    """`checksum` is of the bytes; `content` is None when nothing can be taken over."""

    kind: Kind
    names: list[str]
    checksum: str
    ledger: Ledger = field(default_factory=Ledger)
    content: Content = None

    @property
    def name(self) -> str:
        return ", ".join(self.names)


@dataclass(frozen=True)
class _File:
    path: Path
    raw: bytes

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


class Reading:
    """`zone` is that of times that name none; `slug` the program that week modules become."""

    def __init__(self, slug: str, zone: tzinfo = UTC) -> None:
        self._slug = slug
        self._zone = zone
        self._sources: list[Source] = []
        self._modules: list[tuple[_File, str]] = []

    def read(self, paths: Sequence[Path]) -> list[Source]:
        """Every source, in the order in which they build on each other."""
        for path in files(paths):
            self._read_path(path)
        if self._modules:
            self._sources.append(_week_modules(self._modules, self._slug))
        return sorted(self._sources, key=lambda source: _ORDER.index(source.kind))

    def _read_path(self, path: Path) -> None:
        try:
            if not path.is_file():
                self._refuse(path, "there is no such file, or it is none")
                return
            with path.open("rb") as file:
                start = file.read(len(MAGIC))
            if start == MAGIC:
                self._sources.append(self._sqlite_file(path))
            elif path.stat().st_size > MAX_TEXT:
                self._refuse(path, f"it is larger than {MAX_TEXT // 1024 // 1024} MB")
            else:
                self._read_text(_File(path, path.read_bytes()))
        except OSError as error:
            self._refuse(path, f"it can't be read: {error.strerror}")

    def _refuse(self, path: Path, reason: str, kind: Kind = "unknown", checksum: str = "") -> None:
        source = Source(kind, [str(path)], checksum)
        source.ledger.error(str(path), reason)
        self._sources.append(source)

    def _read_text(self, file: _File) -> None:
        text, encoding = decode(file.raw)
        match kind_of_text(text):
            case "json":
                self._read_json(file, text)
            case "sql":
                self._sources.append(self._sql_dump(file, text))
            case "python":
                self._modules.append((file, text))
                return
            case _:
                reason = "it is empty" if not text.strip() else "it is none of the kinds that are known"
                self._refuse(file.path, reason, checksum=file.checksum)
        if encoding not in ("utf-8", "utf-8-sig", "ascii"):
            self._sources[-1].ledger.warn(str(file.path), f"not UTF-8; read as {encoding}")

    def _read_json(self, file: _File, text: str) -> None:
        place, ledger = str(file.path), Ledger()
        try:
            value = json_text.load(text, place, ledger)
        except json_text.NoJson as error:
            self._refuse(file.path, str(error), kind_of_broken_json(text), file.checksum)
            return
        found = parts(value, otherwise=f"file-{file.checksum[:12]}")
        if not found:
            self._refuse(file.path, "JSON without progress or states of anybody", checksum=file.checksum)
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
            with opened_file(path) as connection:
                source.content = BotReader(connection, str(path), source.ledger, self._zone).read()
        except (sqlite3.Error, ValueError) as error:
            _damaged(source, error)
        return source

    def _sql_dump(self, file: _File, text: str) -> Source:
        source = Source("bot", [str(file.path)], file.checksum)
        try:
            with opened_dump(text, str(file.path), source.ledger) as connection:
                source.content = BotReader(connection, str(file.path), source.ledger, self._zone).read()
        except (sqlite3.Error, ValueError) as error:
            _damaged(source, error)
        return source


def files(paths: Sequence[Path]) -> Iterator[Path]:
    """Each file once; of a folder everything in it that isn't hidden or compiled."""
    seen: set[Path] = set()
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            if path.is_dir() and (not file.is_file() or _aside(file.relative_to(path))):
                continue
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _aside(path: Path) -> bool:
    parts_aside = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return parts_aside or path.suffix in (".pyc", ".md") or path.name.endswith(("-wal", "-shm", "-journal"))


def _damaged(source: Source, error: Exception) -> None:
    """A damaged database is refused as a whole: nobody could say what is missing."""
    source.content = None
    source.ledger = Ledger()
    source.ledger.error(source.name, f"the database is damaged or takes too long: {error}")


class _Modules:
    """Constants of the given modules; each is read when first needed, so that one may import another."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._texts = dict(given)
        self._read: dict[str, Constants | Unreadable] = {}
        self._reading: set[str] = set()

    def of(self, stem: str) -> Constants:
        """Raises Unreadable."""
        if stem not in self._read:
            self._reading.add(stem)
            try:
                self._read[stem] = read_constants(self._texts[stem], self)
            except Unreadable as error:
                self._read[stem] = error
            self._reading.discard(stem)
        found = self._read[stem]
        if isinstance(found, Unreadable):
            raise found
        return found

    def constants(self, module: str) -> Mapping[str, Value] | None:
        if module not in self._texts or module in self._reading:
            return None
        try:
            return self.of(module).values
        except Unreadable:
            return None


def _week_modules(given: Sequence[tuple[_File, str]], slug: str) -> Source:
    """All modules together are one source: they become one program."""
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
        source.content = Drafting(slug, ledger).draft(list(weeks.values()))
    elif not ledger.has_errors:
        ledger.error(source.name, "none of the modules holds a week")
    return source


def _read_week(
    modules: _Modules, stem: str, place: str, ledger: Ledger, weeks: dict[int, WeekModule]
) -> None:
    try:
        constants = modules.of(stem)
    except Unreadable as error:
        ledger.read("modules")
        ledger.leave("modules", place, "it can't be read")
        ledger.error(place, str(error))
        return
    if not is_week_module(constants):
        ledger.note(place, "no week in it; its constants serve the modules that import them")
        return
    own = Ledger()
    week = WeekReader(place, constants, own).read()
    if week is not None and week.number in weeks:
        own.leave_rest(f"week {week.number} is in {weeks[week.number].path} already")
        own.warn(
            place, f"two modules for week {week.number}: {weeks[week.number].path} is taken, this one left"
        )
    elif week is not None and not week.questions:
        own.leave_rest("its week has no question that can be read")
        own.error(place, f"week {week.number} has no question that can be read; it is left out")
    elif week is not None:
        weeks[week.number] = week
    ledger.merge(own)
