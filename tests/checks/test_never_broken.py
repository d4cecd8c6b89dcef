"""Which checks have been seen failing: every one but these, each with the reason why nobody breaks a host for it."""

import checks
from tests.checks import breaks
from tests.faults import drifting

NEVER_BROKEN = {
    "host.ssh.answers": "without SSH nothing can be put back",
    "dovecot.greeting.ready": "dovecot.passdb.greets, whose service it needs, hears the same greeting and fails first",
    "dovecot.password.not_locked_out": "dovecot.password.login again, after wrong passwords: no setting refuses only then",
}


def test_every_check_has_been_seen_failing_or_says_why_not() -> None:
    known = {one.id for one in checks.selected()}
    seen = {id for one in breaks.ALL.values() for id in one.seen.split()}
    seen |= {one.seen for one in drifting.NAMES.values()}
    assert seen <= known, "no such check"
    assert known - seen == set(NEVER_BROKEN), (
        "name it in a break, or here with the reason; take out what is broken by now"
    )
    every = (breaks.OF_THREE, breaks.OF_ALL, breaks.RELAYED, breaks.ANSWERED_IN_THE_DNS)
    assert len(breaks.ALL) == sum(map(len, every)), "two breaks of one name"
