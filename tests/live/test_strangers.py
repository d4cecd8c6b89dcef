"""Whatever happens to a stranger's letter after our 250, nothing is written to the sender that it names."""

from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest

from lab import Host
from tests.live import stranger, traffic
from tests.live.stranger import VICTIM, ask, bring, mark, raw
from tests.live.support import main_cf

FOO, BAR = "<foo@example.test>", "<bar@example.test>"
SQL = "cd /; runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d mail"
ROWS = {
    "gone@example.test": "nobody-any-more@example.test",  # Dovecot or virtual(8) refuses it
    "outside@example.test": "someone@nowhere.invalid",  # there is no such domain
    "away@example.test": "refused@example.com",  # the world takes it
    "round@example.test": "and-round@example.test",
    "and-round@example.test": "round@example.test",
}
FULL = b"x" * 70 + b"\r\n"
REPORTS = ("SUCCESS", "SUCCESS,FAILURE,DELAY", "FAILURE", "DELAY,FAILURE", "success", "NEVER")
WAYS = (
    "{to} NOTIFY={report}",
    "{to} ORCPT=rfc822;foo@example.test NOTIFY={report}",
    "{to} NOTIFY={report} ORCPT=rfc822;foo@example.test",
    "{to}  notify={report}",
    "{to}\tNOTIFY={report}",
    '{to} ORCPT=rfc822;"a NOTIFY={report} ORCPT=rfc822;b"',
    '{to} ORCPT=rfc822;"',
    '{to} NOTIFY={report} ORCPT=rfc822;"',
    " {to} NOTIFY={report}",
    "foo@example.test NOTIFY={report}",
    '<"foo"@example.test> NOTIFY={report}',
    '<"foo+ NOTIFY={report}"@example.test>',
    '<"foo+ NOTIFY={report}"@example.test> NOTIFY={report}',
    '<"foo+@example.test>',
    '<"foo+@example.test> NOTIFY={report}',
    "<foo+\\ NOTIFY={report}@example.test>",
    "{to} NOTIFY=NEVER NOTIFY={report}",
    "{to} NOTIFY={report} NOTIFY=NEVER",
    "{to}",
)


@pytest.fixture
def rows(mailserver: Host, world: Host) -> Iterator[None]:
    """Aliases that lead nowhere, and nothing on its way; afterwards nothing may have reached anybody out there."""
    values = ", ".join(f"('{alias}', '{target}')" for alias, target in ROWS.items())
    traffic.settled(mailserver, world)
    traffic.empty(mailserver, world)
    gone = f"DELETE FROM aliases WHERE alias IN {tuple(ROWS)};"
    mailserver.run(SQL, stdin=f"{gone} INSERT INTO aliases (alias, email) VALUES {values};")
    yield
    mailserver.run("postsuper -d ALL deferred 2>/dev/null; true")
    mailserver.run(SQL, stdin=gone)


def silent(mailserver: Host, world: Host, begun: str) -> None:
    """Nothing was made for the victim, and nothing of ours reached him."""
    traffic.settled(mailserver, world)
    made = stranger.log(mailserver, begun, "sender (non-)?delivery (notification|status)|to=<victim@")
    assert not made, made
    assert traffic.mail_out_there(world) == []


def told(mailserver: Host, which: str) -> None:
    """The postmaster has heard of this letter."""
    found = "grep -rlF -- '{0}' /home/mail/example.test/foo/new /home/mail/example.test/foo/cur | xargs -r grep -lE"
    found += " '^Subject: (Postmaster Copy|Undelivered)'"
    traffic.until(lambda: mailserver.run(found.format(which), check=False).stdout, f"the postmaster hears of {which}")


def both(mailserver: Host, which: str) -> Callable[[], bool]:
    return lambda: len(traffic.places(mailserver, [which])[which]) == 2


def largest(mailserver: Host, limit: int) -> int:
    """The longest body that port 25 still takes, to some hundred bytes."""
    for size in range(limit - 1000, 0, -400):
        if bring(mailserver, raw(mark(), FULL * (size // 72)), BAR).startswith("250"):
            return size
    pytest.fail("nothing is taken")


@pytest.mark.usefixtures("rows")
class TestRoads:
    def test_a_report_is_asked_for_in_every_way(self, mailserver: Host, world: Host) -> None:
        begun, taken = stranger.since(mailserver), 0
        for way in WAYS:
            for report in REPORTS if "{report}" in way else REPORTS[:1]:
                asked = way.format(to=FOO, report=report)
                reply = bring(mailserver, raw(mark()), asked)
                assert reply[:3] in ("250", "501", "550", "553", "555"), f"{asked}: {reply}"
                taken += reply.startswith("250")
        assert taken >= 6 * len(REPORTS)
        silent(mailserver, world, begun)

    @pytest.mark.parametrize("alias", ["gone", "outside"])
    def test_what_an_alias_leads_to_refuses(self, mailserver: Host, world: Host, alias: str) -> None:
        begun, which = stranger.since(mailserver), mark()
        assert bring(mailserver, raw(which), f"<{alias}@example.test> NOTIFY=FAILURE").startswith("250")
        told(mailserver, which)
        silent(mailserver, world, begun)

    def test_the_name_of_the_host_leads_to_a_program_that_fails(self, mailserver: Host, world: Host) -> None:
        begun, which = stranger.since(mailserver), mark()
        mailserver.run("cp -a /etc/aliases /root/aliases; sed -i '/^abuse/d' /etc/aliases")
        mailserver.run("echo 'abuse: \"|/bin/false\"' >> /etc/aliases; newaliases")
        try:
            assert bring(mailserver, raw(which), "<abuse@mx1.example.test>").startswith("250")
            told(mailserver, which)
        finally:
            mailserver.run("mv /root/aliases /etc/aliases; newaliases")
        silent(mailserver, world, begun)

    def test_as_many_hops_and_bytes_as_the_door_takes(self, mailserver: Host, world: Host) -> None:
        """The letter grows by a few lines inside; the inner doors take it all the same, and it arrives."""
        begun = stranger.since(mailserver)
        limit = int(mailserver.run("postconf -h message_size_limit").stdout)
        hops = f"Received: from a by b; {formatdate()}\r\n".encode() * 48
        # Postfix counts the records of its queue file, envelope and all: the last letter that fits is found by trying
        for headers, size in ((hops, 72), (b"", largest(mailserver, limit))):
            which = mark()
            for recipient in (FOO, "<root@mx1.example.test>"):
                reply = bring(mailserver, raw(which, FULL * (size // 72), headers), recipient)
                assert reply.startswith("250"), reply
            traffic.until(both(mailserver, which), "both arrive", 120)
        assert bring(mailserver, raw(mark(), FULL * (limit // 72 + 1)), FOO).startswith("552")
        assert bring(mailserver, raw(mark(), FULL, hops + b"Received: x\r\n" * 2), FOO).startswith("554 5.4.0")
        silent(mailserver, world, begun)

    def test_time_runs_out(self, mailserver: Host, world: Host) -> None:
        """Aliases in a circle are put off, a host that does not answer too; at the end of their time they are given up."""
        begun = stranger.since(mailserver)
        with main_cf(mailserver, "maximal_queue_lifetime=0", "delay_warning_time=1s"):
            for alias in ("round", "and-round"):
                bring(mailserver, raw(mark()), f"<{alias}@example.test> NOTIFY=DELAY,FAILURE")
            mailserver.run("postfix flush; sleep 2; postfix flush; sleep 1")
        silent(mailserver, world, begun)

    def test_nobody_at_all_wrote_it(self, mailserver: Host, world: Host) -> None:
        """A bounce from out there that cannot be delivered: the postmaster has it."""
        begun, which = stranger.since(mailserver), mark()
        assert bring(mailserver, raw(which), "<gone@example.test>", sender="").startswith("250")
        told(mailserver, which)
        silent(mailserver, world, begun)

    @pytest.mark.parametrize("word", ["reject", "ereject"])
    def test_a_users_script_wants_to_reject(self, mailserver: Host, world: Host, word: str) -> None:
        """Such a script is refused when it is uploaded; one that lies there already lets the letter into INBOX."""
        begun, which = stranger.since(mailserver), mark()
        script = f'require "{word}"; {word} "not me";'
        home = "/home/mail/.home/example.test/bar"
        compile = "cd $(mktemp -d) && cat >a.sieve && sievec a.sieve a.svbin"
        mailserver.run(compile, stdin="keep;")
        assert "reject" in mailserver.run(f"! ({compile})", stdin=script).stderr
        mailserver.run(
            f"umask 077; mkdir -p {home}; cat > {home}/.dovecot.sieve; chown -R vmail: /home/mail/.home", stdin=script
        )
        try:
            assert bring(mailserver, raw(which), BAR).startswith("250")
            assert traffic.folder(traffic.delivered(mailserver, which)) == traffic.INBOX
        finally:
            mailserver.run(f"rm -f {home}/.dovecot.sv* {home}/.dovecot.sieve*")
        silent(mailserver, world, begun)

    def test_who_has_logged_in_hears_of_it(self, mailserver: Host) -> None:
        which = mark()
        traffic.submit(
            mailserver,
            "bar@example.test",
            raw(which).replace(VICTIM.encode(), b"bar@example.test"),
            "<gone@example.test>",
        )
        found = f"grep -rlF -- {which} /home/mail/example.test/bar/new | xargs -r grep -l '^Subject: Undelivered Mail Returned'"
        traffic.until(lambda: mailserver.run(found, check=False).stdout, "bar has the bounce")
        told(mailserver, which)


def test_the_victim_gets_an_answer_of_the_envelope_only(mailserver: Host) -> None:
    """What is refused is refused while the other side waits: no letter comes of it."""
    for recipient in ("<nobody@example.test> NOTIFY=SUCCESS", "<foo@example.org> NOTIFY=SUCCESS"):
        assert ask(mailserver, recipient, VICTIM)[:2] == "55"
