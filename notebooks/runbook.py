"""The runbook: what the cells of the notebooks call. `from runbook import *`

Every name does one thing to, or shows one thing of, the host that hello() names; what comes back displays itself.
"""

# ruff: noqa: F401  # the imports are what a cell gets; what begins with _ stays here

import sys as _sys
from pathlib import Path as _Path

_sys.path.insert(0, str(_Path(__file__).resolve().parents[1]))

from checks.clients.samples import EICAR, GTUBE
from notebooks.workbench.experiment.breaking import break_it, mend
from notebooks.workbench.experiment.errata import as_printed, cleartext_on_the_wire, equal_hashes
from notebooks.workbench.experiment.exercising import check, exercise, exercises, give_up, hint
from notebooks.workbench.experiment.impostor import man_in_the_middle
from notebooks.workbench.experiment.scanners import judge, scan
from notebooks.workbench.experiment.temporarily import temporarily
from notebooks.workbench.host import where as _where
from notebooks.workbench.host.commands import ask, log, read, run
from notebooks.workbench.host.factory import factory
from notebooks.workbench.host.memory import memory
from notebooks.workbench.host.stopping import stoppable as _stoppable
from notebooks.workbench.host.where import allow
from notebooks.workbench.message.judged import judged
from notebooks.workbench.message.learning import bayes, move
from notebooks.workbench.message.letters import files, mailbox, send
from notebooks.workbench.message.passport import headers, passport, take_out, where_is
from notebooks.workbench.message.published import publish
from notebooks.workbench.message.quarantine import quarantine, release
from notebooks.workbench.message.rotation import dkim
from notebooks.workbench.message.world import from_world, to_world, world, world_mailbox
from notebooks.workbench.show.quiz import quiz
from notebooks.workbench.step.applying import apply
from notebooks.workbench.step.banner import hello, use
from notebooks.workbench.step.plans import plan, settled, what_if
from notebooks.workbench.step.proving import verify
from notebooks.workbench.step.rewinding import rewind
from notebooks.workbench.step.views import show
from notebooks.workbench.talk.card import card
from notebooks.workbench.talk.handshake import agreed, certificate
from notebooks.workbench.talk.protocols import imap, lmtp, managesieve, smtp

_host = _stoppable("No cell has touched a host yet.", "The cell again.", name="from runbook import *")(_where.place)()
fqdn, domain, client = _host.fqdn, _host.domain, _host.client
foo, bar = f"foo@{domain}", f"bar@{domain}"
_target = _host.target(secrets=False)
stranger, elsewhere = _target.stranger, _target.elsewhere
