"""Normalizes the text of messages and of lexicon phrases, so that both can be compared word by word.

Undone are: Unicode compatibility forms, case, apostrophes, invisible
characters, accents, look-alikes from other alphabets, digits in place of
letters (`k1ll`) and letters typed apart (`d i e`). Repeated letters (`diiie`)
are not undone here, because that needs a word list: `soon` must not become
`son`. `Lexicon.canonical_words` does it.
"""

import re
import unicodedata

_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
)
_LOOK_ALIKES = dict(
    zip(
        "асеорхуікмтвнѕјԁ" + "αεικνορτυχ" + "ıłø$@€",
        "aceopxyikmtbhsjd" + "aeiknoptux" + "ilosae",
        strict=True,
    )
)
_TABLE = str.maketrans(
    {
        **dict.fromkeys(_INVISIBLE + "'’‘‛`´ʼ＇"),
        **_LOOK_ALIKES,
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
    }
)
_ACCENTS = re.compile(r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f]")
_REPEATED_LETTER = re.compile(r"([^\W\d_])\1+")
_TOKEN = re.compile(r"[^\W_]+|[.!?;:,()\n]")
_LETTERS_APART = re.compile(r"(?<!\w)(?:[^\W_][ .-]{1,3}){2,}[^\W_](?!\w)")
_SEPARATOR = re.compile(r"[ .-]")
_DIGITS = str.maketrans("013457", "oieast")


def tokenize(text: str) -> list[str]:
    """Return the normalized words, and each punctuation mark between them as a token of its own."""
    text = text.replace("’", "'")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold().translate(_TABLE)
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    found = _TOKEN.findall(_LETTERS_APART.sub(_join_letters, text))
    return [word if word.isalpha() or word.isdecimal() else word.translate(_DIGITS) for word in found]


def collapse_repeated_letters(text: str) -> str:
    """Replace each run of one letter by a single one: `diiie` becomes `die`."""
    return _REPEATED_LETTER.sub(r"\1", text)


def _join_letters(match: re.Match[str]) -> str:
    return _SEPARATOR.sub("", match[0])
