"""Free TCP ports on the loopback interface."""

import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with ExitStack() as open_probes:
        probes = [open_probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


class PortReservations:
    """Ports set aside for servers that are about to start; released when the block ends.

    It takes a server seconds to listen, and until then its port looks free to
    others. So whoever starts a stack holds the UDP port of the same number,
    which nothing of ours uses, and takes no port whose UDP side is held.
    """

    def __init__(self) -> None:
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def take(self, port: int) -> bool:
        """Set the port aside; False when somebody else has it."""
        token = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            token.bind((LOOPBACK, port))
        except OSError:
            token.close()
            return False
        self._held.enter_context(token)
        return is_free(port)
