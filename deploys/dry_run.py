"""What a step's own dry run says on this host: which of its operations would change something, and whether it was ever done.

So nobody keeps a second list of how a step shows on a host. The operations themselves are asked, with what the step tells them
(`deploys.told`), on the one reading of the host. Whether a daemon runs does not count: one that is stopped is for the checks to
find, and no step to be done again.
"""

import inspect
from itertools import takewhile
from typing import Any

from deploys.context import data, platform
from deploys.known_again import known_again
from deploys.told import Told, by_step, needs, stand_in, steps
from operations import packages, postgresql, services
from operations.base import mail_host

OF_THE_DATABASE = (
    "operations.postgresql",
    "operations.accounts",
)  # what only PostgreSQL itself can tell, but for its folder


class DryRun:
    """All steps of this host, none of them run."""

    def __init__(self) -> None:
        self.asked: dict[str, Told] = {}
        there = mail_host()
        self.installing = bool(there.dpkg_holder)  # packages of half a chapter are there for a moment
        self.away = platform().packages["postgresql"][0] in there.packages and not there.sql
        every = by_step(data(), platform(), there)
        self.told = {step: [one for one in kept if not _runs(*one)] for step, kept in every.items()}
        self.restarting = {step for step, kept in every.items() if kept and not self.told[step]}

    def undone(self, step: str) -> list[str]:
        """The names of the operations that would change something; [] where none that could be asked would."""
        if step not in self.told:
            return [f"{step} has not been built for {platform().name}"]
        return [given["name"] for _, given in self._changing(step)]

    def unasked(self, step: str) -> list[str]:
        """The names of the operations of which nobody can say whether they would change something: PostgreSQL is away."""
        asked = _before(step) if step in self.restarting else [step]
        every = (one for step in asked for one in self.told.get(step, ()))
        return [given["name"] for operation, given in every if self._hidden(operation)]

    def done(self, step: str) -> bool:
        """Whether nothing is left to do. A step that only restarts daemons is done with all that comes before it in its chapter."""
        if self.unasked(step) or any(need.endswith(".install") for need in self.missing(step)):
            return False  # without a question: new passwords would be hashed for it
        if step in self.restarting:
            return all(self.done(one) for one in _before(step))
        return not self.undone(step)

    def never(self, step: str) -> list[str]:
        """The steps that were never done: this one, or, of one that only restarts daemons, those before it in its chapter."""
        return [one for one in (_before(step) if step in self.restarting else [step]) if not self.there(one)]

    def there(self, step: str) -> bool:
        """Whether something is on the host that this step writes, as it wants it or changed since.

        What only PostgreSQL could tell counts as there, and so does a step that has nothing to write with this data.
        """
        kept = self.told.get(step, [])
        if any(operation is packages.packages for operation, _ in kept):
            return not any(operation is packages.packages for operation, _ in self._changing(step))
        seen = [(one, None if self._hidden(one[0]) else known_again(*one, mail_host())) for one in kept]
        known = [one for one in seen if one[1] is not None]
        # what another step writes as well tells neither of them, unless there is nothing else to go by
        own = [found for one, found in known if not self._elsewhere(step, one)] or [found for _, found in known]
        return any(own) if own else not self.undone(step)

    def missing(self, step: str) -> list[str]:
        """What the step stands on and is not there at all, the first of it first. What was changed since is still there."""
        return [need for need in needs(step) if not self.there(need)]

    def _changing(self, step: str) -> Told:
        """The operations that have a command for this host, as pyinfra asks them."""
        if step not in self.asked:  # once: to ask about new passwords is to hash them
            with stand_in(data(), platform(), mail_host()):
                kept = [one for one in self.told.get(step, ()) if not self._hidden(one[0])]
                self.asked[step] = [one for one in kept if _commands(*one)]
        return self.asked[step]

    def _hidden(self, operation: Any) -> bool:
        return self.away and operation.__module__ in OF_THE_DATABASE and operation is not postgresql.cluster

    def _elsewhere(self, step: str, one: tuple[Any, dict[str, Any]]) -> bool:
        return any(one in kept for other, kept in self.told.items() if other != step)


def _before(step: str) -> list[str]:
    chapter, _, name = step.partition(".")
    names = takewhile(lambda one: one != name, (one.__name__ for one in steps(chapter)))
    return [f"{chapter}.{one}" for one in names]


def _runs(operation: Any, given: dict[str, Any]) -> bool:
    """Whether an operation is there to start a daemon again."""
    return operation is services.service and "files" in given


def _commands(operation: Any, given: dict[str, Any]) -> bool:
    arguments = {key: value for key, value in given.items() if key != "name"}
    return any(True for _ in inspect.unwrap(operation)(**arguments))
