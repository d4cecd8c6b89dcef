"""Chapter 3: Amavis, the trusty workers."""

from checks.clients import installed

ONLY_WITH = (installed.amavis,)
