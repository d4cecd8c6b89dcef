"""A deploy that asks one operation for something that its program must refuse (see test_deploy.py)."""

from pyinfra.api import deploy

from deploys.preflight import ready
from operations import dovecot, postfix


@deploy("Refused")
def postfix_value() -> None:
    if ready():
        postfix.main_cf(name="A parameter that Postfix does not know", settings={"smtpd_nonsense": "1"})


@deploy("Refused")
def dovecot_block() -> None:
    if ready():
        dovecot.block(name="A brace too many", block="nonsense", dialects={"2.3": "}", "2.4": "}"})
