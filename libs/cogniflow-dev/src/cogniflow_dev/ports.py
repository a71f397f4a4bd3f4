"""Free TCP ports on the loopback interface."""

import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server can listen on the port now."""
    with socket.socket() as probe:
        # Like servers do: ports whose last connections are still closing count as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Different ports that are free at the moment."""
    with ExitStack() as open_probes:
        probes = [open_probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


class PortReservations:
    """Reserves ports for servers that are about to start; released at the end of the block.

    A server needs seconds to listen, and until then its port looks free to
    others. A reservation therefore binds the UDP port of the same number, which
    CogniFlow doesn't use; a port whose UDP port is bound counts as reserved.
    """

    def __init__(self) -> None:
        self._reserved = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reserved.close()

    def reserve(self, port: int) -> bool:
        """Reserve the port; False if it is in use or reserved."""
        token = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            token.bind((LOOPBACK, port))
        except OSError:
            token.close()
            return False
        self._reserved.enter_context(token)
        return is_free(port)
