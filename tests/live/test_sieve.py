"""Rules on the server: a user's own over ManageSieve, the article's as printed, and what moving a message teaches."""

import pytest

import checks
from checks.claims.sieve.learning import SPOOL, counts
from checks.clients.mail import imap
from checks.clients.managesieve import NAME, session
from checks.engine.target import Target
from deploys.chapters import sieve
from lab import Host
from tests.live import traffic
from tests.live.traffic import delivered, folder, message, send, until

FOO, BAR = "foo@example.test", "bar@example.test"
pytestmark = pytest.mark.usefixtures("no_mail")


def test_rules_by_envelope_sender_and_header(target: Target, mailserver: Host, world: Host) -> None:
    """The article's rule, by envelope sender, in a script of the user's own; a folder that is not there is made."""
    script = (
        'require ["fileinto", "envelope", "mailbox"];\n'
        'if envelope :is "from" "carol@example.net" { fileinto :create "Carol"; stop; }\n'
        'if header :contains "Subject" "invoice" { fileinto "Trash"; }\n'
    )
    with session(target, 0) as client:
        assert client.putscript(NAME, script) and client.setactive(NAME), client.words()
        letters = {name: message(FOO) for name in ("alice", "carol")}
        send(world, letters["alice"][1], FOO)
        send(world, letters["carol"][1], FOO, sender="carol@example.net")
        invoice, text = message(FOO)
        send(world, text.replace("Subject: A letter", "Subject: your invoice"), FOO)
        found = {name: folder(delivered(mailserver, mark)) for name, (mark, _) in letters.items()}
        assert found == {"alice": "INBOX", "carol": "Carol"}
        assert folder(delivered(mailserver, invoice)) == "Trash"
        spam, text = traffic.spam(FOO)  # the house's rule comes first, whatever the user's says
        send(world, text.replace("Subject: A letter", "Subject: your invoice"), FOO, sender="carol@example.net")
        assert folder(delivered(mailserver, spam)) == "Junk"


def test_a_broken_script_is_refused_and_the_old_one_goes_on(target: Target, mailserver: Host, world: Host) -> None:
    good = 'require "fileinto";\nfileinto "Trash";\n'
    with session(target, 0) as client:
        assert client.putscript(NAME, good) and client.setactive(NAME)
        for broken, line in (('require "fileinto";\nfileinto;\n', 2), ('keep;\nvacation :days 1 "x";\n', 2)):
            assert not client.putscript(NAME, broken) and f"line {line}" in client.words(), client.words()
        mark, text = message(FOO)
        send(world, text, FOO)
        assert folder(delivered(mailserver, mark)) == "Trash"


def test_users_do_not_reach_the_dangerous_parts(target: Target) -> None:
    """What the house's own scripts may do, start programs, is not for a user's script."""
    with session(target, 0) as client:
        for name in ("vnd.dovecot.pipe", "vnd.dovecot.execute", "vnd.dovecot.filter"):
            assert not client.putscript(NAME, f'require "{name}";\nkeep;\n'), name
        offered = client.get_sieve_capabilities()
        assert "vacation" in offered and not {f"vnd.dovecot.{name}" for name in ("pipe", "execute", "filter")} & set(
            offered
        )


def compiled(host: Host, script: str) -> tuple[int, str]:
    done = host.run(
        "d=$(mktemp -d); cat > $d/a.sieve; sievec $d/a.sieve; code=$?; rm -r $d; exit $code", stdin=script, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_articles_vacation_does_not_compile_and_ours_does(mailserver: Host) -> None:
    code, said = compiled(mailserver, sieve.vacation.article)
    assert code != 0 and "line 2" in said, said
    # with the word that is missing it compiles, and names one address that nobody has
    assert ':addresses ["foo@example.com, bar@example.com"]' in sieve.vacation.article
    example = mailserver.run("cat /etc/dovecot/sieve/examples/vacation.sieve").stdout
    assert compiled(mailserver, example) == (0, "")


def test_moving_many_messages_trains_bayes(target: Target, mailserver: Host) -> None:
    """Into Junk: spam; out of it: ham; from Junk into Trash: nothing. A user who moves many does not wait for sa-learn."""
    before = counts(target)
    number = 30
    with imap(target, 1) as client:
        for n in range(number):
            client.append("INBOX", message(BAR, text=f"Word{n} pills.\n")[1].encode())
        client.select_folder("INBOX")
        uids = client.search()
        assert len(uids) == number
        client.move(uids, "Junk")
        until(lambda: counts(target)["nspam"] == before["nspam"] + number, "all of them are learned as spam")
        client.select_folder("Junk")
        uids = client.search()
        client.move(uids[: number // 3], "Trash")
        client.move(uids[number // 3 :], "INBOX")
        rest = number - number // 3
        until(lambda: counts(target)["nham"] == before["nham"] + rest, "those taken out are learned as ham")
        assert counts(target)["nspam"] == before["nspam"] + number // 3
    until(lambda: mailserver.run(f"find {SPOOL} -type f").stdout == "", "the spool is empty")


def test_letters_that_are_moved_one_by_one_are_learned_one_by_one(target: Target, mailserver: Host) -> None:
    """Each starts the service anew, and systemd by itself allows five starts in ten seconds, and then none for good."""
    number = 9
    with imap(target, 1) as client:
        before = counts(target)["nspam"]
        for each in range(number):
            client.append("INBOX", message(BAR, text=f"Pills, one by one, {each}.\n")[1].encode())
            client.select_folder("INBOX")
            client.move(client.search(), "Junk")
            until(lambda: mailserver.run(f"find {SPOOL} -type f").stdout == "", f"letter {each} is learned", 20)
    assert counts(target)["nspam"] == before + number
    assert mailserver.run("systemctl is-active mailroom-learn.path").stdout == "active\n"


NOT_HAM = ("Trash", "Deleted Items", "Archive", "INBOX.Old", "Sent", "Drafts")


def test_only_the_way_back_to_the_inbox_teaches_ham(target: Target, mailserver: Host) -> None:
    """A mail client calls its bin what it likes. Copies count like moves; what a client appends or flags teaches nothing, and
    so does what is larger than spam ever is."""
    before = counts(target)
    with imap(target, 1) as client:
        for name in (*NOT_HAM, "Junk"):
            if not client.folder_exists(name):
                client.create_folder(name)
        for name in (*NOT_HAM, "INBOX"):
            client.append("Junk", message(BAR, text=f"Pills for {name}.\n")[1].encode())
        client.append("Junk", message(BAR, text="Large pills.\n" * 50_000)[1].encode())
        client.select_folder("Junk")
        assert counts(target) == before, "appended"
        uids = client.search()
        client.set_flags(uids, [b"$NotJunk", b"NonJunk"])
        for uid, name in zip(uids, NOT_HAM, strict=False):
            client.move([uid], name)
        client.move(uids[-1:], "INBOX")  # the large one
        client.copy(uids[-2:-1], "INBOX")
        until(lambda: counts(target)["nham"] == before["nham"] + 1, "the one that went to the inbox is learned as ham")
        until(lambda: mailserver.run(f"find {SPOOL} -type f").stdout == "", "the spool is empty")
        assert counts(target) == {**before, "nham": before["nham"] + 1}
        for name in set(NOT_HAM) - {"Trash", "Sent", "Drafts"}:
            client.delete_folder(name)


def test_the_last_word_counts(target: Target, mailserver: Host) -> None:
    """Out of Junk by mistake and back again, before anything was learned: it is spam."""
    before = counts(target)
    mailserver.run("systemctl stop mailroom-learn.path")
    try:
        with imap(target, 1) as client:
            client.append("INBOX", message(BAR, text="Pills, to and fro.\n")[1].encode())
            for source, goal in (("INBOX", "Junk"), ("Junk", "INBOX"), ("INBOX", "Junk")):
                client.select_folder(source)
                client.move(client.search(), goal)
        assert len(mailserver.run(f"find {SPOOL} -type f").stdout.splitlines()) == 1
    finally:
        mailserver.run("systemctl start mailroom-learn.path")
    until(lambda: counts(target)["nspam"] == before["nspam"] + 1, "it is learned as spam")
    assert counts(target)["nham"] == before["nham"]


def test_compiled_scripts_are_newer_by_a_whole_second(mailserver: Host) -> None:
    """A lab host that was rewound keeps no fractions; with equal times Dovecot compiles again, and may not write what it made."""
    ages = mailserver.run(f"cd {sieve.FOLDER} && for s in *.sieve; do stat -c %Y $s ${{s%.sieve}}.svbin | xargs; done")
    times = [tuple(map(int, line.split())) for line in ages.stdout.splitlines()]
    assert len(times) == 4 and [binary - script for script, binary in times] == [1] * 4, times


def test_an_active_script_is_nothing_that_is_open_to_others(target: Target, mailserver: Host) -> None:
    """It is active by a link, and a link shows 777."""
    mailserver.run(f"doveadm sieve put -a -u {BAR} kept", stdin="keep;\n")
    try:
        assert "777" in mailserver.run("find /home/mail/.home -type l -printf '%m\n'").stdout
        found = {one.id: one for one in checks.run(target, only=["dovecot.mail_owner"])}
        assert found["dovecot.mail_owner.not_for_others"].verdict == "pass", found
    finally:
        mailserver.run(f"doveadm sieve deactivate -u {BAR}; doveadm sieve delete -u {BAR} kept")
