"""The two tasters asked by hand, without a letter: what clamd says to some bytes, and SpamAssassin to a message."""

import base64
import re
from email.utils import make_msgid

from notebooks.workbench.host import remote
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.message.letters import Letter, written
from notebooks.workbench.show import html
from notebooks.workbench.show.errors import NotReady

# clamd's own language: a length in front of each piece, 0 at the end (https://linux.die.net/man/8/clamd, INSTREAM)
INSTREAM = """use IO::Socket::UNIX; use MIME::Base64; local $/; my $bytes = decode_base64(<STDIN>);
my $clamd = IO::Socket::UNIX->new("/run/clamav/clamd.ctl") or die "clamd does not answer: $!\\n";
print $clamd "zINSTREAM\\0", pack("N/a*", $bytes), pack("N", 0); $clamd->flush; print readline $clamd;"""


@stoppable()
def scan(what: bytes) -> html.Note:
    """Give some bytes to clamd, as Amavis does with each part of a letter. NotReady: clamd does not answer."""
    done = remote.execute(f"perl -e '{INSTREAM}'", stdin=base64.b64encode(what).decode())
    if done.code:
        raise NotReady("clamd was not asked.", done.both, 'apply("amavis.clamav")', "notebook 03, 3.2")
    said = done.out.strip("\0\n")
    return html.Note(f"clamd: {said}", f"{len(what)} bytes", "warn" if "FOUND" in said else "good")


@stoppable()
def judge(text: str, subject: str = "Hello") -> html.Table:
    """The points that SpamAssassin gives a message of this text, by its local rules only, and the rules that fitted.

    Rules without points are left out. NotReady: SpamAssassin is not there.
    """
    message_id = make_msgid(domain="example.net")
    message = written(Letter("somebody@example.net", "foo@example.test", subject, 25, message_id), text + "\n")
    # as amavis: what it learns and keeps belongs to that user
    command = "cd / && runuser -u amavis -- spamassassin -L -t 2>/dev/null"
    done = remote.execute(command, stdin=message.as_string())
    fitted = re.findall(r"^ *(-?\d+(?:\.\d)?) ([A-Z0-9_]{3,}) +(.*)$", done.out, re.MULTILINE)
    rows = [row for row in dict.fromkeys(fitted) if float(row[0])]  # the report comes twice when it is spam
    total = re.search(r"\((-?[\d.]+) points, ([\d.]+) required\)", done.out)
    if done.code or not total:
        raise NotReady("SpamAssassin did not judge.", done.both[-500:], 'apply("amavis.install")', "notebook 03, 3.3")
    rows = rows or [("0", "(none)", "no rule that gives points has fitted")]
    return html.Table(["points", "rule", "what it means"], rows, f"{total[1]} points; spam is from {total[2]}")
