"""Loads what the first message would otherwise wait for: the embeddings and the safety lexicon."""

from threading import Thread

from chat_service.embedding import embed
from chat_service.safety.detection.check import check

_ANY = "Hello"


class Preload:
    """Goes on beside the first requests, which are answered meanwhile."""

    def start(self) -> None:
        self._thread = Thread(target=_warm, name="warming", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._thread.join(timeout=10)


def _warm() -> None:
    embed([_ANY])
    check(_ANY)
