"""The proof, from outside: claims of the chapters and their negatives, over real protocols.

import checks
checks.run()                                # the lab, everything
checks.run(target, only=["dovecot.tls"])    # one step: a list of checks.Result
checks.for_step("dovecot.tls")              # which checks a step has
"""

from checks import (  # noqa: F401 - importing them registers their checks
    amavis,
    beside,
    certificate,
    clamav,
    clock,
    delivery,
    dovecot,
    filter,
    header_from,
    host,
    imap,
    imap_tls,
    learning,
    letterbox,
    lmtp,
    login,
    managesieve,
    maps,
    ports,
    postfix,
    reach,
    renewal,
    role,
    sieve,
    spam,
    strangers,
    submission,
    suites,
    supervised,
    tables,
    vacation,
    virus,
    workers,
)
from checks.model import CannotStart, Check, Result
from checks.runner import for_step, run, selected
from checks.target import Target, lab_target

__all__ = ["CannotStart", "Check", "Result", "Target", "for_step", "lab_target", "run", "selected"]
