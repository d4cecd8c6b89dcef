"""Who is in the class: names as people write them, and the names of their hosts."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

DOMAIN = "class.example"  # each learner has a domain below it; RFC 2606 reserved the end, so it is nobody's
LONGEST = 24  # letters: the account on the hosts in common is "learner-" and this, and Unix allows 32
MOST = 100  # the lab's network is a /24, and some of it is the world's
# Names that are something else in the lab, in the DNS, or on the command line.
TAKEN = {
    *(
        "all",
        "bare",
        "class",
        "client",
        "gateway",
        "hub",
        "localhost",
        "mail",
        "ns",
        "reference",
        "root",
        "world",
        "www",
    )
}
# What Unicode does not take apart into a letter and its accent.
LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"})


class ClassError(Exception):
    """What is wrong, a sentence for each problem, and what to do."""

    def __str__(self) -> str:
        return "\n".join(self.args)


@dataclass(frozen=True)
class Learner:
    name: str  # of the host: ada
    called: str  # by people: Ada Lovelace

    @property
    def domain(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def address(self) -> str:
        """The mailbox that letters of the class go to and come from."""
        return f"foo@{self.domain}"


def numbered(count: int) -> list[Learner]:
    """A class whose names nobody knows yet."""
    if not 1 <= count <= MOST:
        raise ClassError(f"LEARNERS={count}: a class has 1 to {MOST} learners. For more, use a second machine.")
    return [Learner(f"learner-{n:02}", f"Learner {n}") for n in range(1, count + 1)]


def from_csv(path: Path) -> list[Learner]:
    """The first column is the name; a second one, where there is one, is what the host is called."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ClassError(
            f"{path} cannot be read: {error.strerror}.", "NAMES=… names a file with a name a line."
        ) from None
    except UnicodeDecodeError:
        raise ClassError(f"{path} is not UTF-8.", "Save it again as “CSV UTF-8”, or as plain text in UTF-8.") from None
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    rows: list[tuple[str, str, str]] = []
    for number, cells in enumerate(csv.reader(text.splitlines(), delimiter=delimiter), 1):
        first, second, *_ = [*(cell.strip() for cell in cells), "", ""]
        heading = not rows and first.lower() in ("name", "names", "learner")
        if first and not first.startswith("#") and not heading:
            rows.append((f"line {number}", first, second))
    if not rows:
        raise ClassError(
            f"{path} has no name in it.", "It holds a name a line, and after a comma, if you like, the host's."
        )
    return listed(rows)


def named(names: Iterable[str]) -> list[Learner]:
    """Names as they were typed."""
    return listed([(repr(name), name.strip(), "") for name in names])


def listed(rows: Sequence[tuple[str, str, str]]) -> list[Learner]:
    """Learners of (where it is said, the name, the host's name or ""). Raises ClassError with every problem found."""
    problems, found, first = [], [], dict[str, tuple[str, str]]()
    for where, called, wanted in rows:
        name = wanted or label(called)
        if problem := wrong(name, called, wanted):
            problems.append(f"{where}: {problem}")
        elif name in first:
            other, also = first[name]
            same = "is there twice" if also == called else f"and {also} ({other}) would both be {name}"
            problems.append(f"{where}: {called} {same}. Give one a host name of their own: {called},{name[:22]}-2")
        else:
            first[name] = where, called
            found.append(Learner(name, called))
    if len(rows) > MOST:
        problems.append(f"There are {len(rows)} names; one class has up to {MOST}. Use a second machine for the rest.")
    if problems:
        raise ClassError(*problems, "Nothing was changed.")
    return found


def label(called: str) -> str:
    """The host's name for a person's; "" where it has letters that no host name can have."""
    plain = unicodedata.normalize("NFKD", called.lower().translate(LETTERS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    if any(letter.isalnum() and not letter.isascii() for letter in plain):
        return ""
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]", "", plain)).strip("-")


def wrong(name: str, called: str, wanted: str) -> str:
    """Why this cannot be the host's name, with the remedy."""
    shown = called if len(called) <= 40 else f"{called[:39]}…"
    if not called.isprintable():
        return f"{shown!r} has signs in it that cannot be shown. Type the name anew."
    add = f"Give the host a name in a second column: {shown},anna"
    if wanted and not re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]|[a-z]", wanted):
        return f"{wanted!r} cannot name a host. Use a-z, 0-9 and - between them, a letter first."
    if not name:
        return f"{shown} has no letters that a host name can have (a-z). {add}"
    if not name[0].isalpha():
        return f"{shown} would be the host {name}, and a host's name begins with a letter. {add}"
    if len(name) > LONGEST:
        return f"{shown} would be a host name of {len(name)} letters; {LONGEST} is the most. {add}"
    if name in TAKEN or re.fullmatch(r"mx\d*", name):
        return f"{name} is the name of something else in the lab. {add}"
    return ""
