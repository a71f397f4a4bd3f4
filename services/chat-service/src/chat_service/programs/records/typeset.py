"""Typesets a transcript: JSON on standard input, PDF on standard output.

Runs as a separate process because Typst never frees its layout cache, about
300 bytes a character; the end of the process does. It imports nothing of the
service and gets none of its environment.

    python -m chat_service.programs.records.typeset MAX_CHARACTERS
"""

import re
import sys
import unicodedata
from importlib.resources import files

import typst

TOO_LONG = 3
"""Exit status for more than MAX_CHARACTERS characters, or more than MAX_SIGNS different non-ASCII ones."""
MAX_SIGNS = 5_000

_MISSING = re.compile(r"the text `\"((?:[^\"\\]|\\.)+)\"` could not be displayed")
_RUST_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")
_PROBE = b'#set document(title: "Probe")\n#for c in sys.inputs.document.clusters() { par(c) }'
_INVISIBLE = frozenset({"Cc", "Cf", "Mn"})


def typeset(document: str, max_characters: int) -> bytes:
    """Make a PDF/UA-1 from the JSON that `pdf.py` writes. Exits with TOO_LONG.

    Characters that no font has are replaced by their name, such as [GRINNING
    FACE], because the standard requires every character to be legible.
    """
    template = files(__package__).joinpath("transcript.typ").read_bytes()
    signs = sorted({character for character in document if not character.isascii()})
    if len(signs) > MAX_SIGNS:
        sys.exit(TOO_LONG)
    document = _legible(document, _unprintable("\n".join(signs)))
    if len(document) > max_characters:
        sys.exit(TOO_LONG)
    try:
        return _compile(template, document)
    except typst.TypstError as error:
        # Each part of a combined character is in some font, but no font has all of them.
        return _compile(template, _legible(document, _missing(error)))


def _compile(source: bytes, document: str) -> bytes:
    return typst.compile(source, sys_inputs={"document": document}, pdf_standards=["ua-1"])


def _unprintable(signs: str) -> set[str]:
    """Return the characters without a glyph in Typst's fonts and those of the machine."""
    try:
        _compile(_PROBE, signs)
    except typst.TypstError as error:
        return _missing(error)
    return set()


def _missing(error: typst.TypstError) -> set[str]:
    """Return the characters that Typst could not display. Raises: `error` itself, if it has another cause"""
    clusters = _MISSING.findall(error.diagnostic)
    if not clusters:
        raise error
    return {character for cluster in clusters for character in _unescape(cluster) if not character.isascii()}


def _unescape(text: str) -> str:
    """Undo Rust's escapes, such as `\\u{200d}` and `\\"`."""
    return _RUST_ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)


def _legible(document: str, unprintable: set[str]) -> str:
    return document.translate({ord(character): _name(character) for character in unprintable})


def _name(character: str) -> str:
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, code)
    return f"[{code if name.startswith('CJK') else name}]"


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(sys.stdin.buffer.read().decode(), int(sys.argv[1])))
