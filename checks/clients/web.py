"""Ports 80 and 443, as whoever asks sees them."""

import http.client

from checks.clients import tls
from checks.engine import Failed, Target
from checks.engine.verdicts import words


def asked(
    target: Target, path: str, method: str = "GET", name: str = "", port: int = 80, body: str = ""
) -> tuple[int, str, str]:
    """Status, text and the Server header of an answer, as `answered`."""
    status, text, headers = answered(target, path, method, name, port, body)
    return status, text, headers.get("Server", "")


def policy(text: str) -> dict[str, list[str]]:
    """The lines of an MTA-STS policy by key: RFC 8461, 3.2."""
    found: dict[str, list[str]] = {}
    for key, is_line, value in (line.partition(":") for line in text.splitlines()):
        if is_line:
            found.setdefault(key.strip(), []).append(value.strip())
    return found


def answered(
    target: Target, path: str, method: str = "GET", name: str = "", port: int = 80, body: str = ""
) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of an answer to a request, with this body if it has one. Raises Failed where there is none.

    On 443 the certificate has to be trusted, and for this name.
    """
    where = target.vantage.endpoint(target.address, port)
    connection = http.client.HTTPConnection(*where, timeout=10)
    if port == 443:
        connection = http.client.HTTPSConnection(*where, timeout=10, context=tls.careful(target, name))
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", name or target.hostname)
        connection.putheader("Connection", "close")
        if body:
            connection.putheader("Content-Type", "text/xml")
            connection.putheader("Content-Length", str(len(body.encode())))
        connection.endheaders(body.encode() or None)
        answer = connection.getresponse()
        return answer.status, answer.read(4096).decode(errors="replace"), dict(answer.getheaders())
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"port {port} gives no answer from {target.vantage.name}: {words(error)}") from error
    finally:
        connection.close()
