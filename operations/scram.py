"""PostgreSQL's SCRAM verifiers: told on the controller, so that the role's password never reaches a log of the server.

The form is `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`, all base64
(https://www.postgresql.org/docs/current/catalog-pg-authid.html, RFC 5803).
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

ITERATIONS = 4096  # PostgreSQL's own; the password is a random one of 256 bits, so more would only cost time


def verifier(password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """The verifier of an ASCII password, with a new salt unless one is given."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    text = [b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{text[0]}${text[1]}:{text[2]}"


def verify(password: str, stored: str | None) -> bool:
    """Whether `stored` is a verifier of this password; False for md5 and for none."""
    try:
        _, parameters, _ = (stored or "").split("$")
        iterations, salt = parameters.split(":")
        again = verifier(password, b64decode(salt), int(iterations))
    except ValueError:
        return False
    return hmac.compare_digest(again, stored or "")
