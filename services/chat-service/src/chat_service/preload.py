"""Loads at process start what the first message would have to wait for."""

from collections.abc import Callable
from threading import Thread

from chat_service.embedding import embed
from chat_service.safety.detection.detector import detect_risk

_SAMPLE = "Hello"


class Preload:
    """Runs `load` in a thread of its own, while the process already answers requests."""

    def __init__(self, load: Callable[[], None]) -> None:
        self._load = load

    def start(self) -> None:
        self._thread = Thread(target=self._load, name="preload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._thread.join(timeout=10)


def load_language_data() -> None:
    """Load the embeddings and the safety lexicons."""
    embed([_SAMPLE])
    detect_risk(_SAMPLE)
