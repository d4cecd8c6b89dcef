"""The hatch between Postfix and Dovecot: LMTP spoken by hand, on the host, as Postfix does."""

from __future__ import annotations

import base64

from notebooks.workbench.host import remote, snapshots, where
from notebooks.workbench.host.commands import Expect
from notebooks.workbench.show.errors import NotReady
from notebooks.workbench.talk.dialogue import Dialogue

SOCKET = "/var/spool/postfix/private/dovecot-lmtp"
# One reply for each line, except for "." after DATA: then one for each recipient that was taken.
SPEAK = """use IO::Socket::UNIX; use MIME::Base64; local $/ = undef; my @say = split /\\n/, decode_base64(<STDIN>); $/ = "\\n";
my $hatch = IO::Socket::UNIX->new($ARGV[0]) or die "nobody at the hatch: $!\\n"; $hatch->autoflush(1);
my $taken = 0; my $data = 0;
sub reply { my $all = ""; while (my $line = <$hatch>) { $all .= "S $line"; last if $line =~ /^\\d{3} /; } print $all; return $all }
reply();
for my $line (@say) {
    print "C $line\\n"; print $hatch "$line\\r\\n";
    if ($data) { next if $line ne "."; $data = 0; reply() for 1 .. $taken; next }
    my $said = reply();
    $taken++ if $line =~ /^RCPT/ && $said =~ /^S 2/; $data = 1 if $said =~ /^S 354/;
}"""


def lmtp(*steps: str, expect: Expect | None = None) -> Dialogue:
    """Speak LMTP with Dovecot: each step is a line; after "DATA" the lines of a letter, and then "."."""
    snapshots.wait()
    said = base64.b64encode("\n".join(steps).encode()).decode()
    script = base64.b64encode(SPEAK.encode()).decode()
    done = remote.execute(f'perl -e "$(echo {script} | base64 -d)" {SOCKET}', stdin=said)
    if done.code:
        raise NotReady(
            "Dovecot does not take letters at that hatch.", done.both, 'apply("sieve.lmtp")', "notebook 05, 5.3"
        )
    dialogue = Dialogue(f"LMTP with Dovecot, {SOCKET}, on {where.place().name}")
    lines: list[tuple[str, str]] = [(line[:1], line[2:]) for line in done.out.splitlines()]
    for who, text in lines:
        name = "you" if who == "C" else "server"
        if name == "server" and dialogue.said and dialogue.said[-1][0] == name and "-" in dialogue.said[-1][1][3:4]:
            name, before = dialogue.said.pop()
            text = f"{before}\n{text}"
        dialogue.add(name, text)
    return dialogue.expect(expect)
