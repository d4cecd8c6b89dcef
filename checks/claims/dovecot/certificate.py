"""A certificate that was renewed without a deploy: both daemons show it by themselves, and never one that is not theirs."""

from __future__ import annotations

from checks import tls
from checks.model import Failed, check
from checks.target import Target

PROGRAM = "/usr/local/lib/mailroom/certificate"
REMEDY = "Run deploys.chapters.dovecot.certificate; journalctl -u mailroom-certificate says what was found."
STRANGE = f"""folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
openssl req -new -x509 -days 2 -nodes -newkey rsa:2048 -subj /CN=strange -keyout "$folder/key" -out "$folder/cert" 2>/dev/null
RUNTIME_DIRECTORY=$folder {PROGRAM} "$folder/cert" "$1" 2>&1 && echo 'it was read' || true"""


@check(
    "dovecot.certificate.renewal",
    "A renewed certificate is shown without a deploy",
    needs=("ssh", "dovecot", "submissions"),
    remedy=REMEDY,
)
def renewal(target: Target) -> str:
    timer = target.shell("systemctl is-active mailroom-certificate.timer", may_fail=True)
    if timer != "active":
        raise Failed(f"mailroom-certificate.timer is {timer or 'not there'}")
    said = target.shell(f"{PROGRAM} 2>&1 || true")
    disk = tls.on_disk(target)
    for port in (465, 993):
        if tls.served_certificate(target, port) != disk:
            raise Failed(f"port {port} shows another certificate than the file; {said}")
    return "looked at just now: ports 465 and 993 show the file's"


@check(
    "dovecot.certificate.no_strange_pair",
    "A certificate of another key is not taken for a renewed one",
    negative=True,
    needs=("ssh", "dovecot"),
    remedy=REMEDY,
)
def no_strange_pair(target: Target) -> str:
    before = tls.served_certificate(target, 993)
    said = target.shell(f"set -- {target.key}; {STRANGE}")
    if "does not belong to the key" not in said or "it was read" in said:
        raise Failed(f"{PROGRAM} says {said or 'nothing'}")
    if tls.served_certificate(target, 993) != before:
        raise Failed("port 993 shows another certificate afterwards")
    return "refused: it does not belong to the key"
