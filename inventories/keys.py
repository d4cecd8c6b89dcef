"""The private key by which a host is reached."""

from pathlib import Path


def no_private_key(path: Path) -> str:
    """What is wrong with the file, as the end of a sentence; "" for a private key that can be read, with a passphrase or without."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return "names a file that is not there; `ssh-keygen -t ed25519` makes a key."
    except OSError as error:
        return f"names a file that cannot be read: {error.strerror}."
    return "" if b"PRIVATE KEY" in text else "names a file that is no private key; the one without .pub is."
