"""Resolves the blocks that a course refers to, and reports each as imported or skipped."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from courses_service.content.sanitizer import one_line
from courses_service.olx.archive import Archive
from courses_service.olx.errors import ArchiveTooLarge, MalformedArchive
from courses_service.olx.report import Report
from courses_service.olx.xml import inner_html, parse

MAX_BLOCKS = 20_000
MAX_TITLE_LENGTH = 255
_DEFAULT_TITLES = {"html": "Text", "problem": "Quiz"}
_UNREPORTED_ATTRIBUTES = {
    # Names, and notes of authoring tools.
    *("url_name", "display_name", "filename", "slug", "org", "course", "editor", "markdown"),
    *("xml_attributes", "xblock-family"),
    # Attributes that this package reads.
    *("language", "visible_to_staff_only", "hide_from_toc", "group_access"),
}


@dataclass(frozen=True)
class Block:
    """A block with its definition, inline or from its own file. `name`: the url_name, unique per kind."""

    kind: str
    name: str
    element: Element

    @property
    def title(self) -> str:
        given = one_line(self.element.get("display_name", ""), MAX_TITLE_LENGTH)
        return given or _DEFAULT_TITLES.get(self.kind) or one_line(self.name or self.kind, MAX_TITLE_LENGTH)


class BlockResolver:
    """Visits each block once, so that repeated and circular references end.

    `used` has the paths of all files read. `source` is organization+number+run
    of the course, once `course` was called.
    """

    def __init__(self, archive: Archive, report: Report) -> None:
        self._texts = archive.texts
        self._report = report
        self._visited: set[tuple[str, str]] = set()
        self._count = 0
        self.used: set[str] = set()
        self.source = ""

    def course(self) -> Block:
        """The course block, from `course.xml` or from the file of the run that it names."""
        pointer = self._parse("course.xml")
        if pointer.tag != "course":
            raise MalformedArchive("course.xml doesn't describe a course.")
        block = self._resolve(pointer)
        if block is None:
            raise MalformedArchive("course.xml names a run whose file is missing.")
        names = (pointer.get("org"), pointer.get("course"), pointer.get("url_name"))
        self.source = "+".join(name for name in names if name)[:255]
        return block

    def children(self, parent: Block, location: str, expected: str | None = None) -> Iterator[Block]:
        """The blocks inside `parent`, in order. Hidden blocks, and those of a kind other than `expected`,
        are reported as skipped."""
        for element in parent.element:
            block = self._visit(element, location)
            if block is None:
                continue
            if reason := _hidden_reason(block.element):
                self.skip(block, reason, location)
            elif expected is not None and block.kind != expected:
                self.skip(block, f"{block.kind} blocks aren't supported here", location)
            else:
                yield block

    def html(self, block: Block) -> str:
        """The unsanitized source of an html block: its own content, or the file that it names."""
        if "filename" not in block.element.attrib:
            return inner_html(block.element)
        path = _html_path(block.element)
        if path not in self._texts:
            raise MalformedArchive(f"{path} is missing.")
        self.used.add(path)
        return self.text(path)

    def text(self, path: str) -> str:
        """The file as text; empty if the archive has no such file."""
        try:
            return self._texts.get(path, b"").decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise MalformedArchive(f"{path} isn't UTF-8 text.") from error

    def mark_imported(self, block: Block, location: str) -> None:
        """Report the block as imported, and those of its settings that were not."""
        self._report.imported.append(f"{block.kind}/{block.name}")
        settings = sorted(set(block.element.attrib) - _UNREPORTED_ATTRIBUTES)
        if settings:
            reason = f"settings of this {block.kind} that have no meaning here: {', '.join(settings)}"
            self._report.skip("settings", block.title, reason, location)

    def skip_empty(self, block: Block, location: str) -> None:
        self._report.skip(block.kind, block.title, "nothing in it could be taken over", location)

    def skip(self, block: Block, reason: str, location: str) -> None:
        """Report the block and every block inside it. Iterative: nesting can't exhaust the stack."""
        self._report.skip(block.kind, block.title, reason, location)
        self.used.add(_html_path(block.element))
        within = f"it is inside a {block.kind} that wasn't taken over"
        pending = list(block.element)
        while pending:
            element = pending.pop()
            if "url_name" in element.attrib:
                inner = self._visit(element, location)
                if inner is None:
                    continue
                self._report.skip(inner.kind, inner.title, within, location)
                element = inner.element
                self.used.add(_html_path(element))
            pending.extend(element)

    def _visit(self, element: Element, location: str) -> Block | None:
        """The block, or None (and a report entry) if it was visited before or its file is missing."""
        kind, name = element.tag, element.get("url_name", "")
        if name and (kind, name) in self._visited:
            self._report.skip(kind, name, "the course has it in another place already", location)
            return None
        self._visited.add((kind, name))
        self._count += 1
        if self._count > MAX_BLOCKS:
            raise ArchiveTooLarge(f"The course has more than {MAX_BLOCKS} blocks.")
        block = self._resolve(element)
        if block is None:
            self._report.skip(kind, name, "the file that should hold it is missing", location)
        return block

    def _resolve(self, element: Element) -> Block | None:
        name = element.get("url_name", "")
        path = _path(element)
        if path in self._texts:
            self.used.add(path)
            definition = self._parse(path)
            if definition.tag != element.tag:
                raise MalformedArchive(f"{path} doesn't hold a {element.tag}.")
            return Block(element.tag, name, definition)
        bare = name and len(element) == 0 and not (element.text or "").strip()
        if bare and element.attrib.keys() <= {"url_name", "org", "course"}:
            return None
        return Block(element.tag, name, element)

    def _parse(self, path: str) -> Element:
        self.used.add(path)
        return parse(self._texts[path], path)


def _path(element: Element) -> str:
    """The path of the block's own file; colons in the name separate folders."""
    return f"{element.tag}/{element.get('url_name', '').replace(':', '/')}.xml"


def _html_path(element: Element) -> str:
    return f"html/{element.get('filename', '')}.html"


def _hidden_reason(element: Element) -> str | None:
    """Why learners don't see the block, or None if they do."""
    if element.get("visible_to_staff_only", "").lower() == "true":
        return "only staff could see it"
    if element.get("hide_from_toc", "").lower() == "true":
        return "it was hidden from the table of contents"
    if element.get("group_access", "{}") not in ("", "{}", "null"):
        return "only some groups of learners could see it"
    return None
