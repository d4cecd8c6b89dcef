"""The whole series: `pyinfra inventory.py deploys/mailserver.py`.

What deploys/dovecot.py makes, with the trusty workers in between, filtering behind, and signatures on what is sent.
"""

from deploys.chapters import amavis, believed, dovecot, postfix, postgresql, sieve
from deploys.step import compose

compose(postfix.STEPS, postgresql.STEPS, amavis.STEPS, dovecot.STEPS, sieve.STEPS, believed.STEPS)
