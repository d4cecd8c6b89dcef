"""Chapter 4 and what it stands on: `pyinfra inventory.py deploys/dovecot.py`.

Makes a bare host a server on which people write to each other: Postfix, PostgreSQL, Dovecot.
"""

from deploys.chapters import dovecot, postfix, postgresql
from deploys.step import compose

compose(postfix.STEPS, postgresql.STEPS, dovecot.STEPS)
