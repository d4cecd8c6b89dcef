"""The four-way view: the article's lines, today's two dialects, and the host as it is, with the differences marked."""

from __future__ import annotations

import re

from notebooks.workbench.show import html
from notebooks.workbench.show.errors import Trouble
from notebooks.workbench.step import landmarks, marks, steps


class View(html.Shown):
    """One column for each text; a line that the column before it has not is marked."""

    def __init__(self, step: steps.Step, host: str, host_name: str, mine: str) -> None:
        self.step, self.host_name, self.mine = step, host_name, mine
        today = {heading(name): text for name, text in step.today.items()}
        self.columns = {"article, 2013": step.article.strip() or "(the article has no line for this)", **today}
        self.columns[f"{host_name} now"] = host or "(nothing yet)"
        # what a program prints about itself is not compared with the command that made it so
        self.compared = self.reference() if marks.LANDMARKS[step.id].settings else host

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
                f'<div class="{css}"><div class=t>{html.escape(title)}{mine}</div><pre>{marked(text, other, kind)}</pre></div>'
            )
        link = "".join(f' <a href="{one}" target="_blank">manual</a>' for one in self.step.link.split("; ") if one)
        head = f"<b class=h>{self.step.number} {html.escape(self.step.short)}</b> {html.escape(first_sentence(self.step.doc))}{link}"
        if not printed:
            head += " <span class=dim>(the article has no line for this)</span>"
        return f'{head}<div class="cols n{len(shown)}">{"".join(shown)}</div>{LEGEND}'

    def reference(self) -> str:
        """Today's text in the dialect, or of the family, of this host."""
        return self.step.today.get(self.mine) or next(iter(self.step.today.values()), "")


LEGEND = (
    "<div class=dim><span class='ln del' style='display:inline'>gone or changed since</span> · "
    "<span class='ln add' style='display:inline'>not in the article</span> · "
    "<span class='ln chg' style='display:inline'>on the host, not (or not yet) as today's text</span></div>"
)


def marked(text: str, other: str, kind: str) -> str:
    """The lines of a text; those that the other one does not have, in whatever order, carry a mark."""
    theirs = {bare(line) for line in other.splitlines()}
    return "".join(
        f'<span class="ln{"" if bare(line) in theirs | {""} else " " + kind}">{html.escape(line)}</span>'
        for line in text.splitlines()
    )


def bare(line: str) -> str:
    """A line without what does not matter: the listing's prompt, blanks, a remark, -o in front of an override."""
    if line.startswith("# "):
        return ""
    return re.sub(r"\s*=\s*", "=", re.sub(r"^\s*(\$ +|-o )?\s*", "", line)).strip()


def heading(name: str) -> str:
    """Above one of today's texts: a Dovecot's dialect ("2.4"), a family of systems ("Red Hat"), or one for all ("")."""
    return f"Dovecot {name}" if name[:1].isdigit() else f"today, {name}" if name else "today"


def first_sentence(doc: str) -> str:
    text = re.sub(r"https?://\S+", "", " ".join(doc.split()))
    return re.split(r"(?<=[.;])\s(?=[A-Z])", text, maxsplit=1)[0].strip()


def show(name: str) -> View:
    """Article, today and your host, side by side."""
    step = steps.find(name)
    if step.id not in marks.LANDMARKS:
        raise Trouble(f"The runbook does not know how {step.id} shows on a host.")
    from notebooks.workbench.host import where

    mine = family() if {"Debian", "Red Hat"} & set(step.today) else language()
    return View(step, landmarks.now(step), where.place().name, mine)


def family() -> str:
    """Whose system this host is: that of the first package manager it has."""
    from notebooks.workbench.host import remote

    return "Debian" if remote.execute("command -v apt-get").out else "Red Hat"


def language() -> str:
    """The dialect of the Dovecot on this host: "2.3", "2.4", or "" while there is none."""
    from notebooks.workbench.host import remote

    version = remote.execute("dovecot --version 2>/dev/null").out
    return ".".join(version.split(".")[:2]) if version else ""
