"""Sets a document as PDF: JSON on standard input, the PDF on standard output.

A process of its own, because Typst keeps what it laid out in memory for good,
some 300 bytes a character: all of it goes back when the process ends. It
imports nothing of the service and gets none of its environment.

    python -m chat_service.programs.records.typeset MAX_CHARACTERS
"""

import re
import sys
import unicodedata
from importlib.resources import files

import typst

TOO_LONG = 3
"""The exit status for a document of more than MAX_CHARACTERS, or MAX_SIGNS different ones beyond ASCII."""
MAX_SIGNS = 5_000

_MISSING = re.compile(r"the text `\"((?:[^\"\\]|\\.)+)\"` could not be displayed")
_RUST_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")
_PROBE = b'#set document(title: "Probe")\n#for c in sys.inputs.document.clusters() { par(c) }'
_INVISIBLE = frozenset({"Cc", "Cf", "Mn"})


def typeset(document: str, max_characters: int) -> bytes:
    """A PDF of the standard PDF/UA-1, of JSON as `pdf.py` makes it.

    Characters that no font here has are named, such as [GRINNING FACE]: the
    standard has every one legible. Exits with TOO_LONG.
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
        # No font has the parts of one sign together, each of which some font has.
        return _compile(template, _legible(document, _missing(error)))


def _compile(source: bytes, document: str) -> bytes:
    return typst.compile(source, sys_inputs={"document": document}, pdf_standards=["ua-1"])


def _unprintable(signs: str) -> set[str]:
    """Those without a glyph in any font that Typst finds, its own and the machine's."""
    try:
        _compile(_PROBE, signs)
    except typst.TypstError as error:
        return _missing(error)
    return set()


def _missing(error: typst.TypstError) -> set[str]:
    """What the compiler could not display. Raises the error again when that was not it."""
    clusters = _MISSING.findall(error.diagnostic)
    if not clusters:
        raise error
    return {character for cluster in clusters for character in _unescape(cluster) if not character.isascii()}


def _unescape(text: str) -> str:
    """What Rust shows as `\\u{200d}` or `\\"`."""
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
