"""What a user's own script may not do: reach files, start programs, flood, or write in another's name."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from checks.clients.managesieve import NAME, session
from checks.engine.target import Target
from lab import Host
from tests.faults.attacking import BAR, FOO, Family, arrived, letter
from tests.live import traffic

Count = Callable[..., None]
pytestmark = pytest.mark.usefixtures("no_mail")
VICTIM = "victim@example.org"

# Scripts that must not be taken at all.
REFUSED = {
    "pipe": 'require "vnd.dovecot.pipe";\npipe "mailroom-learn" "spam";\n',
    "pipe by path": 'require "vnd.dovecot.pipe";\npipe "/bin/sh";\n',
    "pipe by a path upwards": 'require "vnd.dovecot.pipe";\npipe "../../../../bin/sh";\n',
    "execute": 'require "vnd.dovecot.execute";\nexecute "id";\n',
    "filter": 'require "vnd.dovecot.filter";\nfilter "cat";\n',
    "editheader": 'require "editheader";\ndeleteheader "From";\naddheader "From" "bar@example.test";\n',
    "the server's settings": 'require ["vnd.dovecot.environment", "variables"];\nset "x" "${env.vnd.dovecot.config.password}";\n',
    "a redirect to a list": f'redirect "{VICTIM}, other@example.org";\n',
    "a redirect to a command": 'redirect "|/bin/sh";\n',
    "a redirect with a line end": 'redirect "victim@example.org\r\nBcc: other@example.org";\n',
    "too large": "keep;\n" + "# a comment\n" * 100_000,
    "too deep": "".join("if true {\n" for _ in range(200)) + "keep;\n" + "}\n" * 200,
    "not UTF-8": 'fileinto "\\xff";\nrequire "fileinto";\n',
}
# Names of scripts that lead elsewhere.
SCRIPT_NAMES = ("../x", "../../bar/sieve/x", "/etc/cron.d/x", "a/b", "x\0y", "x\ny", "", "x" * 2000)
# Scripts that may be taken, and are judged by what they do to files and to the world.
RUN = {
    "a path upwards": 'require ["fileinto", "mailbox"];\nfileinto :create "../../bar/INBOX";\n',
    "an absolute path": 'require ["fileinto", "mailbox"];\nfileinto :create "/etc/cron.d/x";\n',
    "a home": 'require ["fileinto", "mailbox"];\nfileinto :create "~bar/x";\n',
    "include by path": 'require ["include"];\ninclude :personal "../../bar/sieve/x";\n',
    "include of the system's": 'require ["include"];\ninclude :global "/etc/passwd";\n',
    "to itself": f'require "copy";\nredirect :copy "{FOO}";\nredirect :copy "foo+x@example.test";\nkeep;\n',
    "to many": 'require "copy";\n' + "".join(f'redirect :copy "victim{n}@example.org";\n' for n in range(60)),
}


def test_what_a_script_may_not_do_is_refused(mailserver: Host, target: Target, count: Count) -> None:
    family = Family()
    for name, script in REFUSED.items():
        with session(target, 0) as client:
            taken = False
            try:
                taken = bool(client.putscript(NAME, script))
            except Exception as error:
                family.judge(name, False, str(error))
                continue
            family.judge(name, taken, "taken")
    mailserver.run("touch /root/stamp; sleep 1")
    for name in SCRIPT_NAMES:
        try:
            with session(target, 0) as client:
                taken = bool(client.putscript(name, "keep;\n"))
                if taken:
                    client.deletescript(name)
                family.judge(f"a script called {name[:20]!r}", taken, "taken")
        except Exception as error:
            family.judge(f"a script called {name[:20]!r}", False, str(error))
    family.count(count, "Sieve: refused scripts", mailserver.suite)


@pytest.mark.parametrize("name", RUN)
def test_what_a_script_does_stays_with_its_owner(
    mailserver: Host, world: Host, target: Target, count: Count, name: str
) -> None:
    """Judged by files outside of foo's folders, by what reaches others, and by how many letters become of one."""
    family = Family()
    mailserver.run("touch /root/stamp; sleep 1")
    with session(target, 0) as client:
        if client.putscript(NAME, RUN[name]) and client.setactive(NAME):
            mark, text = traffic.message(FOO)
            traffic.send(world, text, FOO)
            found = arrived(mailserver, world, [mark], 60)[mark]
            others = [path for path in found if "/foo/" not in path and not path.startswith("world:")]
            out = [path for path in found if path.startswith("world:")]
            family.judge(f"{name}: reaches others here", bool(others), str(others))
            family.judge(f"{name}: {len(out)} letters to the world", len(out) > 4, str(out))
            family.judge(f"{name}: {len(found)} letters of one", len(found) > 5 or not found, str(found))
        else:
            family.judge(name, False)
    left = mailserver.run("find /etc /home -xdev -newer /root/stamp -type f -not -path '*example.test/foo/*'").stdout
    family.judge(f"{name}: files elsewhere", bool(left), left)
    family.count(count, f"Sieve: {name}", mailserver.suite)


def test_no_answer_goes_to_whom_a_stranger_names(mailserver: Host, world: Host, target: Target, count: Count) -> None:
    """A vacation answers the envelope, once; neither From nor Reply-To makes it write to a third person."""
    family = Family()
    script = f'require "vacation";\nvacation :days 7 :addresses ["{FOO}", "x@example.org"] "Away.";\n'
    with session(target, 0) as client:
        assert client.putscript(NAME, script) and client.setactive(NAME), client.words()
        for fields in (
            [("Reply-To", VICTIM)],
            [("From", VICTIM), ("Sender", VICTIM)],
            [("Return-Path", f"<{VICTIM}>")],
            [("Errors-To", VICTIM), ("Disposition-Notification-To", VICTIM), ("Return-Receipt-To", VICTIM)],
        ):
            _, content = letter(*fields, sender=traffic.ALICE, to=FOO)
            traffic.send(world, content.decode().replace("\r\n", "\n"), FOO)
        arrived(mailserver, world, [], 60)
    for path in traffic.mail_out_there(world):
        head = traffic.read(world, path).partition("\n\n")[0]
        family.judge(path, bool(re.search(rf"^(?:Delivered-To|X-Original-To|To):.*{VICTIM}", head, re.M)), head[:300])
    family.judge("more than one answer to alice", len(traffic.mail_out_there(world)) > 1, "several")
    family.count(count, "answers to third persons", mailserver.suite)


@pytest.mark.xfail(reason="not defended against: docs/security.md", strict=True)
def test_a_script_writes_in_nobody_elses_name(mailserver: Host, world: Host, target: Target) -> None:
    """vacation and notify have a :from of their own, and Pigeonhole has no setting that binds it to the user."""
    forms = {
        "vacation": f'require "vacation";\nvacation :days 1 :from "{BAR}" :subject "As bar" "Away.";\n',
        "notify": f'require "enotify";\nnotify :from "{BAR}" :message "As bar" "mailto:{VICTIM}";\n',
    }
    for script in forms.values():
        with session(target, 0) as client:
            if not (client.putscript(NAME, script) and client.setactive(NAME)):
                continue
            mark, text = traffic.message(FOO, sender="carol@example.net")
            traffic.send(world, text, FOO, sender="carol@example.net")
            arrived(mailserver, world, [mark], 60)
    sent = [traffic.read(world, path).partition("\n\n")[0] for path in traffic.mail_out_there(world)]
    as_bar = [head for head in sent if re.search(rf"^From:.*{BAR}", head, re.M)]
    assert not as_bar
