"""The hub for other machines: a port of this machine's own address whose connections go on to it, as long as somebody lets it run.

The lab publishes the hub on loopback, and only there. What goes through here is TLS, which ends in the hub.
"""

import asyncio
import errno
import socket
from collections.abc import Callable

from classroom.people import ClassError

PORT = 8443


def parse(where: str) -> tuple[str, int]:
    """An address of this machine, with a port or without."""
    host, colon, port = where.rpartition(":")
    if not colon or (where.count(":") > 1 and not host.endswith("]")):
        host, port = where, str(PORT)
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ClassError(
            f"{where!r} has no port that there is.", f"Give ADDRESS or ADDRESS:PORT; the port is {PORT} by default."
        )
    return host.strip("[]"), int(port)


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def serve(host: str, port: int, to: int, ready: Callable[[int], None]) -> None:
    """Until it is cancelled. `ready` hears the port."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        except OSError:  # the hub is away; the browser says so, and tries again
            writer.close()
            return
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer), return_exceptions=True)

    try:
        server = await asyncio.start_server(one, host, port, backlog=128)
    except OSError as error:
        why = {
            errno.EADDRINUSE: "another program has that port; give another one",
            errno.EADDRNOTAVAIL: "this machine has no such address; `ip address` lists those that it has",
            errno.EACCES: "ports below 1024 are root's",
        }.get(error.errno or 0, str(error))
        if isinstance(error, socket.gaierror):
            why = "this name leads nowhere"
        raise ClassError(f"The hub cannot be opened at {host}:{port}: {why}.") from None
    async with server:
        ready(server.sockets[0].getsockname()[1])
        await server.serve_forever()
