"""ClamAV: its settings, and its first signatures."""

from operations.base import Commands, changing, mail_host, shell
from operations.files import edited

CLAMD_CONF = "/etc/clamav/clamd.conf"
SIGNATURES = "/var/lib/clamav"


def with_settings(text: str, settings: dict[str, str]) -> str:
    """clamd.conf with these settings ("Key value" lines): replaced where they stand, or added at the end."""
    lines, left = [], dict(settings)
    for line in text.splitlines():
        key = line.partition(" ")[0]
        lines.append(f"{key} {left.pop(key)}" if key in left else line)
    return "\n".join([*lines, *(f"{key} {value}" for key, value in left.items())]) + "\n"


@changing(edits=CLAMD_CONF)
def clamd_conf(settings: dict[str, str]) -> Commands:
    """These settings are in clamd.conf; clamd itself has read the file before it goes live
    (https://docs.clamav.net/manual/Usage/Configuration.html#clamdconf).

    + settings: values by name

    **Example:** ``clamav.clamd_conf(settings={"MaxScanSize": "100M"})``
    """
    after = with_settings(mail_host().text(CLAMD_CONF) or "", settings)
    yield from edited(CLAMD_CONF, after, check='clamd --config-file="$new" --version >/dev/null')


# The download is some 250 MB and belongs to freshclam; it is waited for, not done a second time.
WAIT = """n=0
until ls "$1"/main.c[lv]d "$1"/daily.c[lv]d >/dev/null 2>&1; do
    n=$((n + 1))
    [ $n -lt 450 ] || { echo "freshclam has fetched no signatures after 15 minutes: journalctl -u clamav-freshclam" >&2; exit 1; }
    sleep 2
done
"""


@changing()
def signatures() -> Commands:
    """The official signatures are there: clamd does not start without. Waits for freshclam's first download.

    **Example:** ``clamav.signatures()``
    """
    if not {"daily.cvd", "daily.cld"} & set(mail_host().system.get("signatures", "").split()):
        yield shell(WAIT, SIGNATURES)
