"""Embeds texts with the word embeddings in wordllama's wheel.

The vector of a text is the mean of its tokens' vectors. The two files are read
directly instead of with wordllama's loader, which imports six more packages,
keeps a table of twice the width and looks for the tokenizer in a misspelled
folder: 57 MB instead of 135 MB. They are loaded with the first text; nothing is
downloaded.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"


class _Model(NamedTuple):
    tokenizer: Any
    table: Any
    """The vector of each token: float16, shape (32000, 256)."""


def embed(texts: Sequence[str]) -> list[list[float]]:
    """Return a vector of 256 numbers and length 1 for each text; the dot product of two is their cosine.

    A text without tokens gets the zero vector.
    """
    return [_vector(_model(), text) for text in texts]


def similarity(first: Sequence[float], second: Sequence[float]) -> float:
    """The cosine of two unit vectors, from -1 to 1."""
    cosine: float = sum(map(mul, first, second))
    return cosine


def _vector(model: _Model, text: str) -> list[float]:
    import numpy  # noqa: PLC0415  # not imported in processes that never embed

    ids = model.tokenizer.encode(text, add_special_tokens=False).ids
    if not ids:
        return [0.0] * model.table.shape[1]
    mean = model.table[ids].astype(numpy.float32).mean(axis=0)
    unit: list[float] = (mean / numpy.linalg.norm(mean)).tolist()
    return unit


@cache
def _model() -> _Model:
    from safetensors import safe_open  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    package = find_spec("wordllama")
    assert package is not None, "declared as a dependency"
    assert package.origin is not None, "a package with files"
    folder = Path(package.origin).parent
    with safe_open(folder / _WEIGHTS, framework="numpy") as weights:
        table = weights.get_tensor("embedding.weight")
    return _Model(Tokenizer.from_file(str(folder / _TOKENIZER)), table)
