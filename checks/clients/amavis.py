"""Amavis's settings as Amavis itself reads them: its files are Perl, and only Perl knows what they come to."""

from __future__ import annotations

import shlex

from checks.model import Failed
from checks.target import Target

DESTINY = "sub { +{ D_PASS, 'pass', D_DISCARD, 'discard', D_REJECT, 'reject', D_BOUNCE, 'bounce' }->{$_[0]} }"
# Read as the last of its files, so that it sees what all others left behind.
TELL = f"""
my $destiny = {DESTINY};
my $gentle = $policy_bank{{ORIGINATING}} || {{}};
my %said = (
  name => $myhostname,
  ports => join(' ', ref $inet_socket_port ? @$inet_socket_port : $inet_socket_port),
  processes => $max_servers,
  scanners => join(' ', map {{ $_->[0] }} @av_scanners),
  backups => join(' ', map {{ $_->[0] }} @av_scanners_backup),
  no_virus_checks => "@{{[map {{ ref $_ ? () : $_ }} @bypass_virus_checks_maps]}}",
  no_spam_checks => "@{{[map {{ ref $_ ? () : $_ }} @bypass_spam_checks_maps]}}",
  scanner_needed => $virus_scanners_failure_is_fatal,
  spam_scanners => join(' ', map {{ $_->[0] }} @spam_scanners),
  virus => $destiny->($final_virus_destiny),
  banned => $destiny->($final_banned_destiny),
  spam => $destiny->($final_spam_destiny),
  unread => exists $final_destiny_maps_by_ccat{{CC_UNCHECKED . ",2"}} ? $destiny->($final_unchecked_destiny) : 'pass',
  unopened => ref $banned_namepath_re ? 'banned' : 'pass',
  warns => $warnvirussender || $warnspamsender ? 'senders' : '',
  gentle_virus => $destiny->($gentle->{{final_virus_destiny}} // $final_virus_destiny),
  quarantine => $QUARANTINEDIR,
  local => join(' ', map {{ ref $_ eq 'ARRAY' ? @$_ : () }} @local_domains_maps),
);
print "$_=", $said{{$_}} // '', "\\n" for sort keys %said;
"""


def settings(target: Target) -> dict[str, str]:
    """What its configuration comes to, by the program's own test of it."""
    found = target.once(
        f"printf '%s' {shlex.quote(TELL)} | AMAVIS_TEST_CONFIG=1 $(command -v amavisd amavisd-new | head -n 1) "
        "$(for file in /usr/share/amavis/conf.d/* /etc/amavis/conf.d/*; do echo -c $file; done) -c /dev/stdin"
    )
    pairs = dict(line.split("=", 1) for line in found.splitlines() if "=" in line)
    if "processes" not in pairs:
        raise Failed(f"Amavis cannot read its settings: {found}", "amavisd test-config")
    return pairs


def memory(target: Target, unit: str) -> int:
    """Megabytes that a unit's processes have for themselves, shared pages counted once."""
    found = target.shell(
        f"pid=$(systemctl show -P MainPID {unit}); for one in $pid $(pgrep -P $pid); do "
        "sed -n 's/^Pss: *\\([0-9]*\\).*/\\1/p' /proc/$one/smaps_rollup 2>/dev/null; done",
        may_fail=True,
    )
    return sum(int(line) for line in found.split()) // 1024
