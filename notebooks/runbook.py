"""The runbook: what the cells of the notebooks call. `from runbook import *`

Every name does one thing to, or shows one thing of, the host that hello() names; what comes back displays itself.
"""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checks.samples import EICAR, GTUBE
from notebooks.workbench import where
from notebooks.workbench.applying import apply
from notebooks.workbench.banner import hello, use
from notebooks.workbench.breaking import break_it, mend
from notebooks.workbench.errata import as_printed, cleartext_on_the_wire, equal_hashes
from notebooks.workbench.factory import factory
from notebooks.workbench.fate import headers, take_out, where_is
from notebooks.workbench.hatch import lmtp
from notebooks.workbench.held import quarantine, release
from notebooks.workbench.learning import bayes, move
from notebooks.workbench.letters import files, journey, mailbox, send
from notebooks.workbench.looking import ask, follow, log, read, run
from notebooks.workbench.memory import memory
from notebooks.workbench.passport import passport
from notebooks.workbench.plans import plan, settled, what_if
from notebooks.workbench.proving import verify
from notebooks.workbench.quiz import question
from notebooks.workbench.rewinding import rewind
from notebooks.workbench.secure import agreed, certificate
from notebooks.workbench.supposing import supposing
from notebooks.workbench.talk import imap, managesieve, smtp
from notebooks.workbench.tasting import judge, scan
from notebooks.workbench.views import show
from notebooks.workbench.where import allow
from notebooks.workbench.world import from_world, world, world_mailbox

# a port that nobody listens on is an answer here, not a line of log in the notebook
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

_host = where.place()
fqdn, domain, client = _host.fqdn, _host.domain, _host.client
foo, bar = f"foo@{domain}", f"bar@{domain}"

__all__ = [
    "EICAR",
    "GTUBE",
    "agreed",
    "allow",
    "apply",
    "as_printed",
    "ask",
    "bar",
    "bayes",
    "break_it",
    "certificate",
    "cleartext_on_the_wire",
    "client",
    "domain",
    "equal_hashes",
    "factory",
    "files",
    "follow",
    "foo",
    "fqdn",
    "from_world",
    "headers",
    "hello",
    "imap",
    "journey",
    "judge",
    "lmtp",
    "log",
    "mailbox",
    "managesieve",
    "memory",
    "mend",
    "move",
    "passport",
    "plan",
    "quarantine",
    "question",
    "read",
    "release",
    "rewind",
    "run",
    "scan",
    "send",
    "settled",
    "show",
    "smtp",
    "supposing",
    "take_out",
    "use",
    "verify",
    "what_if",
    "where_is",
    "world",
    "world_mailbox",
]
