"""The whole series: `pyinfra inventory.py deploys/mailserver.py`.

What deploys/dovecot.py makes, with the trusty workers in between and filtering behind.
"""

from deploys.chapters import amavis, dovecot, postfix, postgresql, sieve
from deploys.step import compose

compose(postfix.STEPS, postgresql.STEPS, amavis.STEPS, dovecot.STEPS, sieve.STEPS)
