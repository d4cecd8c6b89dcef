"""The proof, from outside: claims of the chapters and their negatives, over real protocols.

import checks
checks.run()                                # the inventory's first server (the lab's), everything
checks.run(target, only=["dovecot.tls"])    # one step: a list of checks.Result
checks.for_step("dovecot.tls")              # which checks a step has
"""

from checks import claims
from checks.engine.check import Check, Result
from checks.engine.inventory import target as lab_target
from checks.engine.runner import for_step, run, selected
from checks.engine.target import Target
from checks.engine.verdicts import CannotStart

claims.load()

__all__ = ["CannotStart", "Check", "Result", "Target", "for_step", "lab_target", "run", "selected"]
