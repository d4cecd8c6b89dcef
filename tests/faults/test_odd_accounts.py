"""Accounts with odd names and passwords that the data accepts: they truly work."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.engine.target import Target
from lab import Host
from tests.faults import accounts
from tests.live.support import MAILSERVER, applied

Count = Callable[..., None]


@pytest.mark.slow
def test_odd_accounts_truly_work(mailserver: Host, target: Target, long: bool, count: Count, tmp_path: Path) -> None:
    """Deployed in one run; each logs in by IMAP, sends by submission, receives. A hash's own text lets nobody in."""
    odd = accounts.odd(60 if long else 12)
    aliases = {
        account.email: f"alias-{number}@{accounts.DOMAIN}" for number, account in enumerate(odd) if number % 5 == 0
    }
    secrets = tmp_path / "accounts.json"
    secrets.touch(0o600)
    secrets.write_text(json.dumps({account.email: account.secret for account in odd}))
    data = {
        "mail_domains": [accounts.DOMAIN, accounts.OTHER],
        "mail_users": [{"email": account.email, "name": f"Odd {number}"} for number, account in enumerate(odd)],
        "mail_aliases": {alias: [email] for email, alias in aliases.items()},
    }
    words = [word for key, value in data.items() for word in ("--data", f"{key}={json.dumps(value)}")]
    hashes = [account for account in odd if account.secret != account.password]
    try:
        applied(MAILSERVER, *words, MAILROOM_ACCOUNTS_FILE=str(secrets))
        wrong = {email: said for email, said in accounts.works(target, odd, aliases).items() if said}
        let_in = [account.email for account in hashes if gets_in(mailserver, account.email, account.secret)]
        proof = [account.email for account in hashes if gets_in(mailserver, account.email, account.password)]
    finally:
        applied(MAILSERVER, "--data", "prune_accounts=yes")
        mailserver.run(["sh", "-c", FORGET, "-", *(posixpath.join(*account.email.split("@")[::-1]) for account in odd)])
    count(
        "inputs",
        "odd accounts",
        mailserver.suite,
        tried=len(odd),
        refused_clearly=0,
        worked=len(odd) - len(wrong),
        neither=len(wrong),
    )
    assert wrong == {} and let_in == [] and len(proof) == len(hashes)


# the mailboxes of accounts that are no more, and what Dovecot's LMTP and Sieve kept for them
FORGET = 'for each; do rm -rf "/home/mail/$each" "/home/mail/.home/$each"; done'


def gets_in(mailserver: Host, email: str, password: str) -> bool:
    return mailserver.run(["doveadm", "auth", "test", "--", email, password], check=False).returncode == 0
