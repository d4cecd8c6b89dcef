"""A certificate that is renewed without a deploy (certbot, a link that leads elsewhere) is read by both daemons.

{{ names }} come from the inventory's data.
"""

from facts.mail_host import JUDGE_PAIR

PROGRAMS = "/usr/local/lib/mailroom"
PROGRAM = f"{PROGRAMS}/certificate"
UNIT = "mailroom-certificate"
UNITS = "/etc/systemd/system"

# What the ports show decides, not the times of files: below /etc/letsencrypt/live both are links, and a link does not change
# when what it leads to does. What was shown is remembered until the file is another one, so that the journals stay quiet.
RENEWED = (
    """#!/bin/sh
# Made by mailroom, chapter 4. Has both daemons read the certificate once it is another one than they show.
set -u
certificate=${1:-{{ tls_certificate }}}
key=${2:-{{ tls_key }}}
remembered=${RUNTIME_DIRECTORY:-/run/mailroom-certificate}/shown

"""
    + JUDGE_PAIR
    + """
print_of() { openssl x509 "$@" -noout -fingerprint -sha256 2>/dev/null; }
of_file() { print_of -in "$certificate"; }
of_port() { timeout 15 openssl s_client -connect "127.0.0.1:$1" </dev/null 2>/dev/null | print_of; }
# the ports that answer, and show another certificate
others() {
    for port in 465 993; do
        shown=$(of_port $port)
        [ -z "$shown" ] || [ "$shown" = "$(of_file)" ] || printf ' %s' $port
    done
}

[ "$(cat "$remembered" 2>/dev/null)" != "$(of_file)" ] || exit 0
ports=$(others)
if [ -n "$ports" ]; then
    problem=$(judge_pair "$certificate" "$key")
    [ -z "$problem" ] || { sleep 5; problem=$(judge_pair "$certificate" "$key"); } # the other half may be on its way
    if [ -n "$problem" ]; then
        echo "ports$ports go on with the old certificate: $problem" >&2
        exit 1
    fi
    doveconf -n >/dev/null || exit 1
    systemctl reload postfix || exit 1
    systemctl restart dovecot || exit 1 # its master dies of the second reload in its life (2.4.1, SIGSEGV)
    sleep 2
    left=$(others)
    [ -z "$left" ] || { echo "ports$left still show another certificate than $certificate; systemctl restart postfix dovecot" >&2; exit 1; }
    echo "Postfix and Dovecot have read $certificate anew: ports$ports showed another one"
fi
mkdir -p "${remembered%/*}"
of_file >"$remembered"
"""
)

SERVICE = """# Made by mailroom, chapter 4.
[Unit]
Description=Have the mail server show a renewed certificate

[Service]
Type=oneshot
ExecStart=/usr/local/lib/mailroom/certificate
RuntimeDirectory=mailroom-certificate
RuntimeDirectoryPreserve=yes
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=read-only
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"""

TIMER = """# Made by mailroom, chapter 4.
[Unit]
Description=Look for a renewed certificate every ten minutes

[Timer]
OnBootSec=5min
OnUnitActiveSec=10min

[Install]
WantedBy=timers.target"""
