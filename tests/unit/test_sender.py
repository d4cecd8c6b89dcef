"""The milter of chapter 4 without a host: how it reads From, and what it answers Postfix."""

import subprocess
from pathlib import Path

import pytest

from deploys.texts import render
from tests.faults.test_attacks_forging import FORGED, HONEST

ASK = r"""
binmode STDIN; binmode STDOUT;
require $ARGV[0];
no warnings 'redefine';
*owns = sub { lc($_[1]) =~ /^(?:foo(?:\+.*)?|mine|sales)\@example\.test$/ ? 1 : 0 };
my $in = do { local $/; <STDIN> };
for my $letter (split /\x1e/, $in) {
    my @fields = map { /^([^:]*): ?(.*)/s ? [lc $1 =~ s/\s+$//r, $2] : () } split /\x1f/, $letter;
    print verdict('foo@example.test', @fields) // 'continue', "\n";
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "sender"
    path.write_text(render(Path("dovecot/sender.pl"), {}))
    return path


def verdicts(program: Path, letters: list[list[tuple[str, str]]]) -> list[str]:
    told = "\x1e".join("\x1f".join(f"{name}: {value}" for name, value in fields) for fields in letters)
    done = subprocess.run(["perl", "-e", ASK, str(program)], input=told.encode(), capture_output=True, check=True)
    return done.stdout.decode().splitlines()


def with_from(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return (
        fields if any(name.lower().strip() == "from" for name, _ in fields) else [("From", "foo@example.test"), *fields]
    )


def test_what_is_anothers_is_refused_for_good(program: Path) -> None:
    found = dict(zip(FORGED, verdicts(program, [with_from(fields) for fields in FORGED.values()]), strict=True))
    assert {name: said for name, said in found.items() if not said.startswith("550 5.")} == {}


def test_what_is_ones_own_goes_on(program: Path) -> None:
    judged = [
        [one for one in with_from(fields) if one[0].lower() in ("from", "sender", "resent-from")]
        for fields in HONEST.values()
    ]
    found = dict(zip(HONEST, verdicts(program, judged), strict=True))
    assert {name: said for name, said in found.items() if said != "continue"} == {}


def test_what_it_answers_is_one_line_of_ascii(program: Path) -> None:
    """Whatever stands in the field: the answer is a line of SMTP."""
    odd = [[("From", f"x%s\x7f{chr(10)} {'y' * 3000}@example.org")], [("From", "%n\u2028@example.org")], []]
    odd += [[("From", f"{'(' * 2000}foo@example.test")], [("From", ",".join(f"{n}@example.org" for n in range(900)))]]
    for said in verdicts(program, odd):
        assert said.startswith("550 5.") and said.isascii() and len(said) < 300, said


def test_the_protocol(program: Path, tmp_path: Path) -> None:
    """Options, macros, a forged letter, an abort, an own letter, and no login at all."""

    def event(kind: str, data: bytes = b"") -> bytes:
        return (len(data) + 1).to_bytes(4, "big") + kind.encode() + data

    options = event("O", b"\0\0\0\6" + b"\0\0\1\xff" + b"\0\x1f\xff\xff")
    login = event("D", b"M{auth_authen}\0foo@example.test\0i\0x\0") + event("M", b"<foo@example.test>\0")
    forged, own = (event("L", f"From\0{who}@example.test\0".encode()) for who in ("bar", "foo"))
    nobody = event("D", b"M{mail_addr}\0x@example.org\0") + event("M", b"<x@example.org>\0")
    talk = options + login + forged + event("E") + login + forged + event("A") + login + own + event("E")
    talk += nobody + forged + event("E") + event("Q")
    code = "require $ARGV[0]; *owns = sub { $_[1] =~ /^foo/ ? 1 : 0 }; my %s; my $in = do { local $/; <STDIN> };"
    code += "while (length $in) { my $n = unpack 'N', $in; my ($e, $d) = unpack 'x4 a1 a' . ($n - 1), $in; substr $in, 0, 4 + $n, '';"
    code += "last if $e eq 'Q'; my $r = answer(\\%s, $e, $d); print $r =~ s/\\0.*//sr, qq{\\n} if defined $r && $e =~ /[OE]/ }"
    done = subprocess.run(["perl", "-e", code, str(program)], input=talk, capture_output=True, check=True)
    first, refused, went_on, stranger = done.stdout.decode(errors="replace").splitlines()
    assert first == "O" and refused.startswith("y550 5.7.1 the field from names bar@example.test")
    assert (went_on, stranger) == ("c", "c")
