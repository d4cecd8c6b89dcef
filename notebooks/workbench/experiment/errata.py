"""What the article gets wrong, or what has become wrong, shown on the learner's own host."""

import re
import shlex

from notebooks.workbench.experiment import throwaway_dovecot
from notebooks.workbench.experiment.tcpdump import Wire, tapped
from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import TRIED, stoppable
from notebooks.workbench.show import html, progress
from notebooks.workbench.show.errors import NotExpected, NotReady, Trouble
from notebooks.workbench.step import steps, views
from notebooks.workbench.talk.connection import connected
from notebooks.workbench.talk.protocols import imap

HEADER = {"2.3": "", "2.4": "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"}
# read in a folder of its own: the real configuration is neither read nor touched
TRY = """d=$(mktemp -d); trap 'rm -rf "$d"' EXIT; cat >"$d/dovecot.conf"
doveconf -c "$d/dovecot.conf" -n 2>&1 >/dev/null | sed "s|$d/||g"
"""
COMPILE = """d=$(mktemp -d); trap 'rm -rf "$d"' EXIT; cat >"$d/script.sieve"
sievec "$d/script.sieve" "$d/out" 2>&1 | sed "s|$d/||g"; [ -s "$d/out" ]
"""
# Steps whose listing is of a shell, of Postfix, of Sieve or of another file than dovecot.conf.
OTHERS = "dovecot.(install|start|restart|client)|sieve.(clock|install|restart|lmtp|delivery|spam)|(postfix|postgresql|amavis).*"
Attempt = tuple[str, str, bool]  # what was tried, what was said, whether it was taken


@stoppable(TRIED)
def as_printed(name: str) -> html.Findings:
    """Try the article's own lines in a throwaway copy: with its prompt, without it, and, where that parses, for real.

    Trouble: the step has no lines of dovecot.conf in the article. NotReady: there is no Dovecot yet.
    """
    step, version = steps.find(name), views.language()
    if step.id == "sieve.vacation":
        return _tried(step, "to the compiler", [("the script, as it stands there", *compiled(step.article))])
    if version not in HEADER:
        raise NotReady("There is no Dovecot to ask yet.", remedy='apply("dovecot.install")', where="notebook 04, 4.1")
    if not step.article or re.fullmatch(OTHERS, step.id):
        raise Trouble(f"{step.id} has no lines of dovecot.conf in the article.")
    if step.name == "sql" and version == "2.3":
        raise Trouble(
            "These lines are not for dovecot.conf: 2.3 reads them from a file of their own, and they still work."
        )
    lines = re.sub(r"^\$ ", "  ", step.article)
    attempts: list[Attempt] = [("without the $", *_doveconf(HEADER[version] + lines))]
    if lines != step.article:
        attempts.insert(0, ("the listing, its $ included", *_doveconf(HEADER[version] + step.article)))
    if step.name == "mailboxes" and attempts[-1][2] and where.place().lab:
        attempts.append(("a login with it", *_login(version, lines)))
    return _tried(step, f"on Dovecot {version}", attempts)


def _tried(step: steps.Step, how: str, attempts: list[Attempt]) -> html.Findings:
    rows = [("✓" if good else "✖", "", what, said) for what, said, good in attempts]
    return html.Findings(f"{step.number} {step.short}, as printed, {how}", rows, lead=step.article)


def compiled(script: str) -> tuple[str, bool]:
    """What sievec says to a Sieve script, in a throwaway copy, and whether it compiles."""
    done = remote.execute(COMPILE, stdin=script + "\n")
    return (re.sub(r"^sievec\([^)]*\): ", "", done.both, flags=re.MULTILINE) or "compiled", not done.code)


def _doveconf(text: str) -> tuple[str, bool]:
    done = remote.execute(TRY, stdin=text + "\n")
    errors = [line for line in done.out.splitlines() if re.search(r"Error|Fatal|[Uu]nknown|Expecting", line)]
    return ("\n".join(errors) or "accepted", not errors)


def _login(version: str, extra: str) -> tuple[str, bool]:
    with throwaway_dovecot.dovecot(version, extra + "\n") as folder:
        said = _trial_login()
        log = remote.execute(
            f"grep -hE 'Error|Fatal' {folder}/log | tail -n 1 | sed -E 's/^.*(Error|Fatal): //'"
        ).out.strip()
    good = "initialization failed" not in said and " OK " in said
    return (f"{said}\n{log}".strip(), good)


def _trial_login() -> str:
    """What the throwaway Dovecot says to a login in the clear, from the lab's client."""
    with connected("IMAP", throwaway_dovecot.PORT) as line:
        line.reply("")
        line.send(f"a LOGIN {throwaway_dovecot.USER} {throwaway_dovecot.PASSWORD}")
        line.reply("")
    return line.dialogue.said[-1][1]


@stoppable(TRIED)
def equal_hashes(password: str = throwaway_dovecot.PASSWORD) -> html.Table:
    """The same password hashed twice in each scheme: equal hashes tell a thief who shares a password.

    The password is seen in the host's process list, so take one that belongs to no account. NotReady: there is no Dovecot.
    """
    word, rows = shlex.quote(password), []
    for scheme in ("SHA512", "SHA512-CRYPT", "ARGON2ID"):
        command = f"doveadm pw -s {scheme} -p {word}"
        pair = remote.execute(f"{command} && {command}", raw=True).out.split()
        if len(pair) != 2:
            raise NotReady(f"This Dovecot does not hash with {scheme}.", remedy='apply("dovecot.install")')
        rows.append([scheme, *map(short, pair), "equal" if pair[0] == pair[1] else "different"])
    openssl = remote.execute(f"printf %s {word} | openssl dgst -sha512 -binary | base64 -w0", raw=True).out.strip()
    rows.append(["openssl dgst -sha512", short(openssl), short(openssl), "one pass, no salt: the same as SHA512"])
    if rows[0][3] != "equal" or rows[2][3] != "different":
        raise NotExpected("The hashes are not as the text says.", str(html.Table(["", "1", "2", ""], rows)))
    return html.Table(["scheme", "hashed once", "hashed again", ""], rows, f"the password “{password}”, twice")


def short(text: str) -> str:
    return text if len(text) <= 34 else f"{text[:22]}…{text[-8:]}"


@stoppable(TRIED)
def cleartext_on_the_wire() -> html.Shown:
    """Read a login off the wire: with the article's disable_plaintext_auth = no on a throwaway Dovecot, then with TLS."""
    where.lab_only(where.place(), "Reading along")
    version = views.language()
    with progress.Progress("two logins, and somebody who reads along"), throwaway_dovecot.dovecot(version):
        with tapped(throwaway_dovecot.PORT) as clear:
            _trial_login()
        with tapped(143) as secret:
            imap(143, "STARTTLS", "LOGIN foo", "LOGOUT")
    if throwaway_dovecot.PASSWORD not in clear[0]:
        raise NotExpected("The password was not seen on the wire.", clear[0][-500:])
    if " LOGIN " in secret[0]:
        remedy = 'verify("dovecot.cleartext")'
        raise NotExpected("A LOGIN was readable on port 143.", "TLS should have hidden it.", remedy)
    return Wire(clear[0], secret[0], throwaway_dovecot.PASSWORD)
