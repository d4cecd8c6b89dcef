{#!
What the ports show decides, not the times of files: below /etc/letsencrypt/live both are links, and a link does not change
when what it leads to does. What was shown is remembered until the file is another one, so that the journals stay quiet.
!#}
#!/bin/sh
# Made by mailroom, chapter 4. Has the daemons read the certificate once it is another one than they show: Postfix, Dovecot, and
# the web server of chapter 6, where it has been told to show it.
set -u
certificate=${1:-{{ tls_certificate }}}
key=${2:-{{ tls_key }}}
remembered=${RUNTIME_DIRECTORY:-/run/mailroom-certificate}/shown

{{ judge_pair }}
print_of() { openssl x509 "$@" -noout -fingerprint -sha256 2>/dev/null; }
of_file() { print_of -in "$certificate"; }
of_port() { timeout 15 openssl s_client -connect "127.0.0.1:$1" $([ "$1" != 443 ] || echo "-servername {{ mail_hostname }}") </dev/null 2>/dev/null | print_of; }
web=$(! grep -qs 'listen 443 ' /etc/nginx/mailroom.conf || echo 443)
# the ports that answer, and show another certificate
others() {
    for port in 465 993 $web; do
        shown=$(of_port $port)
        [ -z "$shown" ] || [ "$shown" = "$(of_file)" ] || printf ' %s' $port
    done
}

# A reload leaves sessions alone, and a restart ends them; but the master of 2.4.1 dies of its second reload (SIGSEGV).
reloaded() {
    since=$(date -d "$(systemctl show -P ExecMainStartTimestamp dovecot)" +%s) || return 0
    journalctl -q -u dovecot --since "@$since" -o cat --no-pager 2>/dev/null | grep -q 'SIGHUP received'
}
dovecot_reads() {
    case $(dovecot --version) in 2.3.*) ;; *) ! reloaded || { systemctl restart dovecot; return; } ;; esac
    systemctl reload dovecot || systemctl restart dovecot
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
    dovecot_reads || exit 1
    [ -z "$web" ] || systemctl reload mailroom-web || exit 1
    sleep 2
    left=$(others)
    [ -z "$left" ] || { echo "ports$left still show another certificate than $certificate; systemctl restart postfix dovecot${web:+ mailroom-web}" >&2; exit 1; }
    echo "Postfix${web:+, nginx} and Dovecot have read $certificate anew: ports$ports showed another one"
fi
mkdir -p "${remembered%/*}"
of_file >"$remembered"
