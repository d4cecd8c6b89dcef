"""The postal union: each learner's server writes to each other one's, and who reaches whom is looked up in the mailboxes.

A letter is given to the sender's own Postfix by sendmail(1), as a program on that server would. Whether it arrived is asked where
it should be: the recipient's mailbox, on the recipient's host. For what is not there, the passport says where it stands
(postmaster/reading.py).
"""

import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any

from classroom import folder, tracing
from classroom.letters import Letter, Post
from classroom.people import ClassError, Learner
from lab import Host

AT_ONCE = 8  # hosts that are talked to at the same time
PATIENCE = 20.0  # seconds for the last letter
NO_SERVER = "no mail server yet: chapter 1 is to be done there"


def union(say: Callable[[str], None], patience: float = PATIENCE) -> Post:
    """Everybody writes to everybody else. Raises ClassError where there are not two."""
    learners = folder.present()
    if len(learners) < 2:
        raise ClassError("There is one learner, and nobody to write to.", "Add a name: make class NAMES=class.csv")
    begun, run = time.monotonic(), secrets.token_hex(4)
    hosts = {one.name: folder.host(one) for one in learners}
    pairs = [(one, other) for one in learners for other in learners if one != other]
    post = Post(learners, [Letter(a.name, b.name, f"<{run}.{a.name}.{b.name}@{a.domain}>") for a, b in pairs])
    try:
        say(f"{len(learners)} servers write to each other: {len(pairs)} letters")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda one: send(hosts[one.name], one, learners, post), learners))
            wait(hosts, learners, post, run, time.monotonic() + patience, pool.map)
            missing = [one for one in post.letters if one.state == "waiting"]
            if missing:
                say(f"{len(missing)} did not arrive within {patience:.0f} s; looking for them in the logs")
            list(pool.map(lambda one: tracing.trace(one, folder.records()), missing))
    finally:
        for host in hosts.values():
            host.close()
    post.seconds = time.monotonic() - begun
    return post


def written(letter: Letter, sender: Learner, recipient: Learner) -> str:
    message = EmailMessage()
    message["From"] = f"{sender.address}"
    message["To"] = recipient.address
    message["Subject"] = f"{sender.called} writes to {recipient.called}"
    message["Message-ID"] = letter.message_id
    message.set_content(f"Dear {recipient.called},\n\nmy server reaches yours.\n\n{sender.called}\n", cte="8bit")
    return message.as_bytes().decode("utf-8", "surrogateescape")


def send(host: Host, sender: Learner, learners: Sequence[Learner], post: Post) -> None:
    """All letters of one server, in one command. Those that it would not take are told at once."""
    mine = [one for one in post.letters if one.sender == sender.name]
    by_name = {one.name: one for one in learners}
    script = "command -v sendmail >/dev/null || exit 7\n"
    for one in mine:
        to = by_name[one.recipient]
        given = f"printf %s {shlex.quote(written(one, sender, to))}"
        script += f"{given} | sendmail -i -f {sender.address} {to.address} && echo {to.name}\n"
    try:
        done = host.run("sh", stdin=f"{script}true\n", check=False, timeout=60)
    except OSError as error:
        unsent(mine, str(error) if sender.name in str(error) else f"{sender.name} does not answer: {error}")
        return
    if done.returncode == 7:
        unsent(mine, f"{sender.name} has {NO_SERVER}")
        return
    said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
    unsent([one for one in mine if one.recipient not in done.stdout.split()], f"sendmail on {sender.name}: {said[0]}")


def unsent(letters: Sequence[Letter], why: str) -> None:
    for one in letters:
        one.state, one.why = "unsent", why


def wait(
    hosts: dict[str, Host],
    learners: Sequence[Learner],
    post: Post,
    run: str,
    until: float,
    side_by_side: Callable[..., Any],
) -> None:
    """Look into the mailboxes that still miss a letter, once a second."""
    while True:
        missing = {one.recipient for one in post.letters if one.state == "waiting"}
        lacking = [one for one in learners if one.name in missing]
        found = set().union(*side_by_side(lambda one: arrived(hosts[one.name], one, run), lacking), set())
        for letter in post.letters:
            if letter.message_id in found and letter.state == "waiting":
                letter.state = "arrived"
        if all(one.state != "waiting" for one in post.letters) or time.monotonic() > until:
            return
        time.sleep(1)


def arrived(host: Host, learner: Learner, run: str) -> set[str]:
    """The Message-IDs of this run in the learner's mailbox, in whichever folder of it."""
    mailbox = f"/home/mail/{learner.domain}/foo"
    command = f"grep -rhsaioE -m1 '^Message-ID: <{run}[^>]*>' {mailbox} || true"
    try:
        told = host.run(command, timeout=30).stdout
    except OSError:
        return set()
    return {line.partition(" ")[2].strip() for line in told.splitlines()}
