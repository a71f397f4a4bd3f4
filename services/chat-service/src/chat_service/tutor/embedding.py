"""Turns text into vectors, with the word embeddings that come in wordllama's wheel.

Loading costs some 95 MB and 0.7 s, so it waits for the first text; nothing is
fetched from anywhere.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any


def embed(texts: Sequence[str]) -> list[list[float]]:
    """A unit vector of 256 numbers for each text; their dot product is the cosine similarity."""
    vectors: list[list[float]] = _model().embed(list(texts), norm=True, return_np=False)
    return vectors


@cache
def _model() -> Any:
    import wordllama  # noqa: PLC0415  # numpy and the weights stay out of processes that never need them

    # wordllama looks for its own tokenizer in a folder whose name it misspells;
    # named as the cache, its package has both files where it expects them.
    package = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(dim=256, cache_dir=package, disable_download=True)
