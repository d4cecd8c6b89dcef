"""Ways to break a mail server on purpose, each with the checks that have to see it."""

from tests.checks.breaks import amavis, dovecot, host, postfix, postgresql, sieve
from tests.checks.breaks.base import KEEP, Break

# On a server with chapters 1, 2 and 4, and on one with the whole series and a world beside it.
OF_THREE: dict[str, Break] = {**host.BREAKS, **postfix.BREAKS, **postgresql.BREAKS, **dovecot.BREAKS}
OF_ALL: dict[str, Break] = {**amavis.BREAKS, **sieve.BREAKS}
ALL = OF_THREE | OF_ALL

__all__ = ["ALL", "KEEP", "OF_ALL", "OF_THREE", "Break"]
