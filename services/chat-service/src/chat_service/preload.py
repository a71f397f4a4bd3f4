"""Loads the embeddings and the safety lexicons at process start, so that the first message need not wait."""

from threading import Thread

from chat_service.embedding import embed
from chat_service.safety.detection.detector import detect_risk

_SAMPLE = "Hello"


class Preload:
    """Loads in a thread of its own, while the process already answers requests."""

    def start(self) -> None:
        self._thread = Thread(target=_load, name="preload", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._thread.join(timeout=10)


def _load() -> None:
    embed([_SAMPLE])
    detect_risk(_SAMPLE)
