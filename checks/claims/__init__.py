"""What is claimed of a mail server.

An id says where its check stands: dovecot.tls.required is the function `required` in dovecot/tls.py here.
"""

from importlib import import_module
from pkgutil import walk_packages


def load() -> None:
    """Import every module below, which registers its checks."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
