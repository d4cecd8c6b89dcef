"""ClamAV: its settings, its own signatures, and whether it may read what Amavis unpacked."""

from operations import preview
from operations.base import Commands, changing, edits, mail_host, shell
from operations.files import PUT

CLAMD_CONF = "/etc/clamav/clamd.conf"
SIGNATURES = "/var/lib/clamav"


def with_settings(text: str, settings: dict[str, str]) -> str:
    """clamd.conf with these settings ("Key value" lines): replaced where they stand, or added at the end."""
    lines, left = [], dict(settings)
    for line in text.splitlines():
        key = line.partition(" ")[0]
        lines.append(f"{key} {left.pop(key)}" if key in left else line)
    return "\n".join([*lines, *(f"{key} {value}" for key, value in left.items())]) + "\n"


@edits(CLAMD_CONF)
@changing
def clamd_conf(settings: dict[str, str]) -> Commands:
    """These settings stand in clamd.conf; clamd itself has read the file before it goes live
    (https://docs.clamav.net/manual/Usage/Configuration.html#clamdconf)."""
    before = mail_host().text(CLAMD_CONF) or ""
    after = with_settings(before, settings)
    if after != before:
        preview.change(CLAMD_CONF, before, after)
        check = 'clamd --config-file="$new" --version >/dev/null'
        yield shell(PUT.format(check=check), CLAMD_CONF, "644", "root:root", stdin=after)


# The download is some 250 MB and belongs to freshclam; it is waited for, not done a second time.
WAIT = """n=0
until ls "$1"/main.c[lv]d "$1"/daily.c[lv]d >/dev/null 2>&1; do
    n=$((n + 1))
    [ $n -lt 450 ] || { echo "freshclam has fetched no signatures after 15 minutes: journalctl -u clamav-freshclam" >&2; exit 1; }
    sleep 2
done
"""


@changing
def first_signatures() -> Commands:
    """The official signatures are there: clamd does not start without. Waits for freshclam's first download."""
    if not {"daily.cvd", "daily.cld"} & set(mail_host().system.get("signatures", "").split()):
        yield shell(WAIT, SIGNATURES)


@changing
def member(user: str, group: str) -> Commands:
    """The user is in the group, beside the one of its own."""
    if user not in mail_host().members.get(group, ()):
        yield shell('usermod -aG "$2" "$1"', user, group)
