"""Ways to break a mail server on purpose, each with the checks that have to see it."""

from tests.checks.breaks import amavis, believed, dovecot, host, postfix, postgresql, sieve
from tests.checks.breaks.base import KEEP, Break

# On a server with chapters 1, 2 and 4, and on one with the whole series and a world beside it.
OF_THREE: dict[str, Break] = {**host.BREAKS, **postfix.BREAKS, **postgresql.BREAKS, **dovecot.BREAKS}
OF_ALL: dict[str, Break] = {**amavis.BREAKS, **sieve.BREAKS, **believed.BREAKS}
RELAYED = believed.RELAYED  # and a relay
ANSWERED_IN_THE_DNS = believed.ANSWERED_IN_THE_DNS  # or with acme_dns
ALL = OF_THREE | OF_ALL | RELAYED | ANSWERED_IN_THE_DNS

__all__ = ["ALL", "ANSWERED_IN_THE_DNS", "KEEP", "OF_ALL", "OF_THREE", "RELAYED", "Break"]
