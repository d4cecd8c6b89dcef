"""The four-way view: the article's lines, today's two dialects, and the host as it is, with the differences marked."""

import re
from collections import Counter
from difflib import SequenceMatcher

from notebooks.workbench.host import remote, where
from notebooks.workbench.host.stopping import stoppable
from notebooks.workbench.show import html
from notebooks.workbench.step import steps


class View(html.Shown):
    """One column for each text; a line that the column before it has not is marked."""

    def __init__(self, step: steps.Step, host: str, host_name: str, mine: str) -> None:
        self.step, self.host_name, self.mine = step, host_name, mine
        today = {heading(name): text for name, text in step.today.items()}
        self.columns = {"article, 2013": step.article.strip() or "(the article has no line for this)", **today}
        self.columns[f"{host_name} now"] = found = told(host)
        # what a program prints about itself is not compared with the command that made it so
        self.compared = self.reference() if step.compared else found

    def __str__(self) -> str:
        parts = [f"{self.step.number} {self.step.short}: {first_sentence(self.step.doc)}"]
        for title, text in self.columns.items():
            parts += [f"--- {title}", *(f"    {line}" for line in text.splitlines())]
        return "\n".join(parts)

    def body(self) -> str:
        texts = list(self.columns.items())
        article, ours = texts[0][1], self.reference()
        shown = []
        printed = bool(self.step.article.strip())
        for number, (title, text) in enumerate(texts):
            if number == 0 and not printed:
                continue
            now = number == len(texts) - 1
            # the article is compared with today's text for this host, the others with the article, the host with ours
            other, kind = (ours, "del") if number == 0 else (self.compared, "chg") if now else (article, "add")
            if not printed and not now:
                other = text  # there is nothing that it could differ from
            mine = " <span class=dim>(this host's)</span>" if self.mine and title == heading(self.mine) else ""
            css = "col now" if now else "col"
            shown.append(
                f'<div class="{css}"><div class=t>{html.escape(title)}{mine}</div>{html.pre(marked(text, other, kind))}</div>'
            )
        link = "".join(f' <a href="{one}" target="_blank">manual</a>' for one in self.step.link.split("; ") if one)
        head = f"<b class=h>{self.step.number} {html.escape(self.step.short)}</b>{link}"
        if not printed:
            head += " <span class=dim>(the article has no line for this)</span>"
        head += f"<div>{html.prose(first_sentence(self.step.doc))}</div>"
        return f'{head}<div class="cols n{len(shown)}">{"".join(shown)}</div>{LEGEND}'

    def reference(self) -> str:
        """Today's text in the dialect, or of the family, of this host."""
        return self.step.today.get(self.mine) or next(iter(self.step.today.values()), "")


LEGEND = (
    "<div class=dim><span class='ln del' style='display:inline'>gone or changed since</span> · "
    "<span class='ln add' style='display:inline'>not in the article</span> · "
    "<span class='ln chg' style='display:inline'>on the host, not (or not yet) as today's text</span></div>"
)


def told(host: str) -> str:
    """What was found on the host. Remarks alone, a daemon that runs for instance, are nothing of the step's."""
    own = [line for line in host.splitlines() if bare(line)]
    return host if own else f"(nothing yet)\n{host}".rstrip("\n")


def marked(text: str, other: str, kind: str) -> str:
    """The lines of a text; those that the other one does not have, in whatever order and as often, carry a mark."""
    lines = text.splitlines()
    same = shared(keys(text), keys(other))
    return "".join(
        f'<span class="ln{"" if number in same or not bare(line) else f" {kind}"}">{html.escape(line)}</span>'
        for number, line in enumerate(lines)
    )


def keys(text: str) -> list[str]:
    """Each line as it is compared. A brace that closes a section belongs to the line that opens it: one is like another."""
    found, sections = [], [""]
    for line in map(bare, text.splitlines()):
        if line.endswith("{"):
            sections.append(line)
        found.append(f"{line} {sections.pop()}" if line == "}" and sections else line)
    return found


def shared(ours: list[str], theirs: list[str]) -> set[int]:
    """Which of our lines they have too, each of theirs counted once: those in the same order first, then those that were moved."""
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    same = {one.a + number for one in blocks for number in range(one.size)}
    left = Counter(theirs) - Counter(ours[number] for number in same)
    for number, line in enumerate(ours):
        if number not in same and left[line]:
            left[line] -= 1
            same.add(number)
    return same


def bare(line: str) -> str:
    """A line without what does not matter: the listing's prompt, blanks, a remark, -o in front of an override."""
    if line.startswith("# "):
        return ""
    return re.sub(r"\s*=\s*", "=", re.sub(r"^\s*(\$ +|-o )?\s*", "", line)).strip()


def heading(name: str) -> str:
    """Above one of today's texts: a Dovecot's dialect ("2.4"), a family of systems ("Red Hat"), or one for all ("")."""
    return f"Dovecot {name}" if name[:1].isdigit() else f"today, {name}" if name else "today"


def first_sentence(doc: str) -> str:
    paragraph = re.split(r"\n\s*\n", doc.strip(), maxsplit=1)[0]
    text = " ".join(re.sub(r"https?://\S+", "", paragraph).split())
    return re.split(r"(?<=[.;])\s(?=[A-Z`])", text, maxsplit=1)[0]


@stoppable()
def show(name: str) -> View:
    """The article's text, today's and that of your host, side by side. Trouble: there is no such step."""
    step = steps.find(name)
    # today's texts are called after the first package manager of the host, or after the language of its Dovecot
    family = "Debian" if "Debian" in step.today and remote.execute("command -v apt-get").out else "Red Hat"
    mine = family if family in step.today else language()
    return View(step, remote.execute(step.now).out.strip("\n"), where.place().name, mine)


def language() -> str:
    """The dialect of the Dovecot on this host: "2.3", "2.4", or "" while there is none."""
    return ".".join(remote.execute("dovecot --version 2>/dev/null").out.split(".")[:2])
