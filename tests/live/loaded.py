"""A server with a life on it: people's mail in folders of folders, scripts, held mail, what Bayes has learned, and a queue."""

from __future__ import annotations

import time

from checks.clients.samples import EICAR
from lab import Host
from rehearsal import life
from tests.live import traffic
from tests.live.support import login
from tests.live.traffic import message, password, places, submission, submitted, until

FOO, BAR = "foo@example.test", "bar@example.test"
SCRIPT = 'require ["fileinto", "mailbox"];\nif header :contains "subject" "crane" { fileinto :create "Work"; }\n'
SECRET = "a password of their own\n"
AWAY = "nobody@[192.0.2.9]"  # there is no way out of a lab: a letter to it waits


def with_people(host: Host, more: int) -> None:
    """So many people beside foo and bar, as the article adds them, and an alias that leads to two."""
    rows = "; ".join(
        "INSERT INTO users (email, password, realname, maildir) VALUES "
        f"('p{n}@example.test', '{host.run('doveadm pw -s SHA512-CRYPT', stdin=SECRET * 2).stdout.strip()}', 'P{n}', 'example.test/p{n}/')"
        for n in range(more)
    )
    alias = f"INSERT INTO aliases VALUES ('sales@example.test', '{FOO}, {BAR}')"
    host.run("cd /; runuser -u postgres -- psql -XqAtd mail", stdin=f"{rows}; {alias};")


def with_mail(host: Host, letters: int) -> None:
    """So many letters for each of them; a fifth is thrown away again."""
    for person in life.people(host):
        texts = [message(person)[1].replace("\n", "\r\n").encode() for _ in range(letters)]
        life.fill(host, person, texts)


def with_a_queue(host: Host) -> None:
    """Three letters that wait to be let go, and one that nobody takes."""
    host.run("postconf -e defer_transports=virtual,lmtp && postfix reload")
    for to in (FOO, BAR, FOO):
        submitted(host, to)
    until(
        lambda: host.run("postqueue -j").stdout.count('"queue_name": "deferred"') == 3,
        "three letters wait in the queue",
    )
    host.run(
        f"postsuper -h ALL deferred && postconf -X defer_transports && postfix reload; printf 'Subject: x\\n\\nx\\n' | sendmail {AWAY}"
    )
    until(lambda: len(life.queued(host)) == 4, "the letter to nowhere waits, too")


def with_the_rest(host: Host, world: Host) -> None:
    """Scripts, held mail, and what Bayes has learned."""
    for person in (FOO, BAR):
        host.run(f"doveadm sieve put -a -u {person} work", stdin=SCRIPT)
    mark, text = message(BAR, attached=EICAR)
    traffic.send(world, text, BAR)
    until(lambda: traffic.held(host, mark), "a letter with a virus is held")
    spam, ham = "Buy cranes and pulleys now, cheap cranes", "The minutes of the meeting about the garden"
    for kind, words in (("spam", spam), ("ham", ham)):
        host.run(f"cd /; runuser -u amavis -- sa-learn --{kind} >/dev/null", stdin=message(FOO, text=f"{words}\n")[1])
    traffic.settled(world)
    with_a_queue(host)


def logs_in(host: Host) -> None:
    """By their passwords, as their programs do: to read on 993, and to send on 587."""
    for person in (FOO, BAR):
        assert login(host, person.partition("@")[0], password(person)) == "OK"
        with submission(host, person):
            pass


def queue_goes(host: Host, before: life.Life) -> None:
    """Each letter that waited is still there, and arrives once when it is let go."""
    waiting = {queue_id: to for queue_id, to in before.queue.items() if AWAY not in to}
    assert len(waiting) == 3 and waiting.keys() <= life.queued(host).keys()
    texts = "".join(host.run(["postcat", "-qh", queue_id]).stdout for queue_id in waiting)
    marks = [
        line.partition("<")[2].partition("@")[0]
        for line in texts.splitlines()
        if line.lower().startswith("message-id:")
    ]
    assert len(marks) == 3
    host.run("postsuper -H ALL && postqueue -f")
    until(lambda: all(places(host, marks).values()), "the letters in the queue arrive", 120)
    time.sleep(3)
    assert {len(found) for found in places(host, marks).values()} == {1}
