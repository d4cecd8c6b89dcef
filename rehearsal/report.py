"""What a rehearsed upgrade came to, as a page to read before the real one."""

from __future__ import annotations

from dataclasses import dataclass, field

from rehearsal.life import Life
from rehearsal.traffic import Traffic


@dataclass
class Report:
    """What was seen. `parts` are seconds by name, `checks` how many ended how, `again` what the second run changed."""

    before: Life
    traffic: Traffic
    parts: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    checks: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  # checks that failed, in a sentence each
    again: int = 0
    disk_mb: int = 0
    said: list[str] = field(default_factory=list)  # what the runs had to say to the operator

    @property
    def problems(self) -> list[str]:
        """All that is not as promised, in sentences."""
        return [
            *self.differences,
            *(f"lost: the letter {mark} to {self.traffic.sent[mark]}" for mark in self.lost),
            *(f"refused for good: {mark}: {why}" for mark, why in self.traffic.refused.items()),
            *(f"check failed: {one}" for one in self.wrong),
            *(f"nothing is proven: {one}" for one in self.unproven),
            *([f"the second run changed {self.again} things"] if self.again else []),
        ]

    @property
    def unproven(self) -> list[str]:
        """What was not asked: without it nothing would be wrong, either."""
        ports = [port.number for port in self.traffic.ports.values() if not port.asked]
        return [
            *([] if self.traffic.sent else ["no letter was sent meanwhile"]),
            *([] if self.checks.get("passed") else ["no check passed"]),
            *(f"port {number} was never asked" for number in ports),
        ]

    @property
    def verdict(self) -> str:
        if self.problems:
            return f"Not yet: {len(self.problems)} things are not as they were, or not as they should be."
        return (
            f"Nothing was lost: {self.before.letters} letters in {self.before.folders} folders are as they were, and "
            f"{len(self.traffic.sent)} arrived meanwhile."
        )


def page(report: Report, title: str, more: str = "") -> str:
    """The report in Markdown."""
    parts = "".join(f"| {name} | {seconds:.0f} s |\n" for name, seconds in report.parts.items())
    ports = "".join(
        f"| {port.number} | {port.longest:.0f} s | {port.all:.0f} s | {len(port.away)} |\n"
        for port in report.traffic.ports.values()
    )
    checks = ", ".join(f"{count} {how}" for how, count in report.checks.items())
    lists = "".join(
        f"\n## {heading}\n\n" + "".join(f"- {one}\n" for one in found)
        for heading, found in (("What is wrong", report.problems), ("What the runs said", report.said))
        if found
    )
    return f"""# {title}

**{report.verdict}**

{more}
| what | how long |
|---|---|
{parts}
| port | away at most | in all | times |
|---|---|---|---|
{ports}
587 greets without Dovecot, and takes no login: people cannot send for about as long as 993 is away.

- **Before:** {len(report.before.mailboxes)} accounts, {report.before.folders} folders, {report.before.letters} letters, \
{len(report.before.scripts)} files of Sieve, {len(report.before.held)} letters held, {len(report.before.queue)} in the queue.
- **Meanwhile:** {len(report.traffic.sent)} letters were sent, {len(report.lost)} of them lost, {len(report.twice)} delivered twice, \
{len(report.traffic.refused)} refused for good.
- **Afterwards:** checks: {checks}. A second run changed {report.again} things.
- **Disk:** {report.disk_mb} MB more are in use on the whole, with what is kept for a way back.
{lists}"""
