"""A TCP proxy that counts round trips: what a statement costs is seen on the wire, not guessed."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


class Wire:
    """A way to a server on the loopback interface; `round_trips` may be set back to 0."""

    def __init__(self, server_port: int) -> None:
        self.round_trips = 0
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accept until `close`."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._carry, args=(client,), daemon=True).start()

    def close(self) -> None:
        # A thread that waits in accept() doesn't notice a mere close().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _carry(self, client: socket.socket) -> None:
        """Pass bytes on; a round trip begins whenever the client speaks after the server did."""
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = False
            while True:
                speaker = select.select([client, server], [], [])[0][0]
                data = speaker.recv(65536)
                if not data:
                    return
                if speaker is client and not asked:
                    self.round_trips += 1
                asked = speaker is client
                (server if asked else client).sendall(data)


@contextmanager
def counted(server_port: int) -> Iterator[Wire]:
    """Listen at `wire.port` for clients of the server at `server_port`."""
    wire = Wire(server_port)
    accepting = Thread(target=wire.serve, daemon=True)
    accepting.start()
    try:
        yield wire
    finally:
        wire.close()
        accepting.join()
