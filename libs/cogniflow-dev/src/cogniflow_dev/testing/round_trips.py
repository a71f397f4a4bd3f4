"""A TCP proxy that counts round trips between a client and a server."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread


class RoundTripProxy:
    """Forwards to a server on the loopback interface; `round_trips` may be reset to 0."""

    def __init__(self, server_port: int) -> None:
        self.round_trips = 0
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Accept connections until `close`."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._forward, args=(client,), daemon=True).start()

    def close(self) -> None:
        # close() alone doesn't wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _forward(self, client: socket.socket) -> None:
        """Forward data; a round trip begins when the client sends after the server did."""
        with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            from_client = False
            while True:
                sender = select.select([client, server], [], [])[0][0]
                data = sender.recv(65536)
                if not data:
                    return
                if sender is client and not from_client:
                    self.round_trips += 1
                from_client = sender is client
                (server if from_client else client).sendall(data)


@contextmanager
def count_round_trips(server_port: int) -> Iterator[RoundTripProxy]:
    """Listen at `proxy.port` for clients of the server at `server_port`."""
    proxy = RoundTripProxy(server_port)
    accepting = Thread(target=proxy.serve, daemon=True)
    accepting.start()
    try:
        yield proxy
    finally:
        proxy.close()
        accepting.join()
