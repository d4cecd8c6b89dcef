"""What runs checks: the register, the target and the ways to it, the order, the report. It knows no claim.

What a claim is written with is here by its short name.
"""

from checks.engine.check import AFTERWARDS, LAST, claim, negative
from checks.engine.target import Target, once_a_run
from checks.engine.verdicts import Failed, Skipped, Warned

__all__ = ["AFTERWARDS", "LAST", "Failed", "Skipped", "Target", "Warned", "claim", "negative", "once_a_run"]
