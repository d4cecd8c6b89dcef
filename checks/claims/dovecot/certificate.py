"""TLS on 993: the certificate, its renewal, nothing older than 1.2, and no weak suite."""

from checks.clients import host, tls
from checks.engine import Failed, Target, claim, negative

PROGRAM = "/usr/local/lib/mailroom/certificate"
REMEDY = "Run deploys.chapters.dovecot.certificate; journalctl -u mailroom-certificate says what was found."
STRANGE = f"""folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
openssl req -new -x509 -days 2 -nodes -newkey rsa:2048 -subj /CN=strange -keyout "$folder/key" -out "$folder/cert" 2>/dev/null
RUNTIME_DIRECTORY=$folder {PROGRAM} "$folder/cert" "$1" 2>&1 && echo 'it was read' || true"""


@claim("Port 993 speaks TLS with the mail host's certificate", needs="dovecot", provides="imap-tls", remedy=tls.RENEW)
def verified(target: Target) -> str:
    return tls.verified(target, 993)


@claim("A renewed certificate is shown without a deploy", needs="ssh dovecot submissions", remedy=REMEDY)
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


@negative("Nobody but root can read the key Dovecot uses", needs="ssh", remedy="chown root:root and chmod 600 the key.")
def key_private(target: Target) -> str:
    # 2.3: ssl_key = </path; 2.4: ssl_server_key_file = /path. Not doveconf: 2.3 hides the value.
    found = target.shell(
        "sed -nE 's/^[[:space:]]*ssl_(server_)?key(_file)?[[:space:]]*=[[:space:]]*<?//p' /etc/dovecot/dovecot.conf"
    ).splitlines()
    if not found:
        raise Failed("dovecot.conf names no key")
    return host.for_root_alone(target, found[-1].strip())


@negative("A client that wants another host is warned", needs="imap-tls", remedy=tls.RENEW)
def other_name(target: Target) -> str:
    return tls.other_name_refused(target, 993)


@negative("TLS 1.1 is refused on 993", needs="imap-tls", remedy=tls.DOVECOT_MINIMUM)
def old_refused(target: Target) -> str:
    return tls.old_refused(target, 993)


@negative("A certificate of another key is not taken for a renewed one", needs="ssh dovecot", remedy=REMEDY)
def no_strange_pair(target: Target) -> str:
    before = tls.served_certificate(target, 993)
    said = target.shell(f"set -- {target.key}; {STRANGE}")
    if "does not belong to the key" not in said or "it was read" in said:
        raise Failed(f"{PROGRAM} says {said or 'nothing'}")
    if tls.served_certificate(target, 993) != before:
        raise Failed("port 993 shows another certificate afterwards")
    return "refused: it does not belong to the key"


@negative("993 refuses what a stolen key would open later", needs="imap-tls", remedy=tls.DOVECOT_SUITES)
def forward_secrecy(target: Target) -> str:
    return tls.suites_refused(target, f"{tls.ANONYMOUS}:{tls.WEAK}", 993)
