# Does the mail server serve, now? Asked on the host itself, of everything that is set up on it by now. One line a problem:
# "what | why". Nothing is changed but the mark that the question is open, no mail is sent, nobody's password is needed. Given: MAIL_USER, MAIL_DOMAIN.
export LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin

# why UNIT: the last that it wrote about trouble
why() { journalctl -u "$1*" -n 200 -o cat --no-pager --since '-10min' 2>/dev/null | grep -iE 'fatal|panic|error|warning' | tail -n 2 | tr '\n' ';'; }
problem() { printf '%s | %s\n' "$1" "$(why "$2")"; }

# greets PORT WORD: a line that holds the word comes from 127.0.0.1
greets() {
    timeout 10 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && read -r line <&3 && case $line in *"$1"*) ;; *) exit 1 ;; esac' "$1" "$2" 2>/dev/null
}

# shows PORT CERTIFICATE UNIT [STARTTLS]: a TLS handshake with exactly this certificate
shows() {
    [ -f "$2" ] || return 0
    shown=$(timeout 15 openssl s_client -connect "127.0.0.1:$1" ${4:+-starttls "$4"} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256 2>/dev/null)
    case $shown in
    '') problem "port $1: no TLS handshake${4:+ after STARTTLS}" "$3" ;;
    "$(openssl x509 -in "$2" -noout -fingerprint -sha256)") ;;
    *) problem "port $1 shows another certificate than $2" "$3" ;;
    esac
}

# asks PATH SEND WORD: a unix socket answers with a line that holds the word
asks() {
    timeout 10 perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new($ARGV[0]) or exit 1; print $s $ARGV[1]; $s->flush;
        while (sysread $s, $part, 512) { $line .= $part; exit 0 if index($line, $ARGV[2]) >= 0 } exit 1' "$@" 2>/dev/null
}

of_postfix() {
    command -v postconf >/dev/null && [ -f /etc/postfix/main.cf ] || return 0
    certificate=$(postconf -xh smtpd_tls_cert_file)
    services=" $(postconf -M 2>/dev/null | awk '$2 == "inet" {print $1}' | tr '\n' ' ')"
    case $services in *' smtp '*) if greets 25 220; then shows 25 "$certificate" postfix smtp; else problem 'port 25 does not say 220' postfix; fi & ;; esac
    case $services in *' submission '*) shows 587 "$certificate" postfix smtp & ;; esac
    case $services in *' submissions '*) shows 465 "$certificate" postfix & ;; esac
    case $services in *' 127.0.0.1:10025 '*) greets 10025 220 || problem 'port 10025 (back from Amavis) does not say 220' postfix & ;; esac
    # in chapter 4 Postfix is told to ask before Dovecot is told to listen
    case $(postconf -Ph submission/inet/smtpd_sasl_auth_enable 2>/dev/null):$(grep -cs '^# >>> mailroom: listener' /etc/dovecot/dovecot.conf) in
    yes:1)
        { printf 'EHLO localhost\r\n'; sleep 1; printf 'QUIT\r\n'; } | timeout 15 openssl s_client -quiet -starttls smtp -connect 127.0.0.1:587 2>/dev/null | grep -q '^250.AUTH' ||
            problem 'port 587 offers no login: Postfix has no answer from Dovecot' postfix &
        ;;
    esac
    # role, password, pg_hba.conf, database, rights and query in one question each
    for map in $(postconf -xh virtual_mailbox_domains virtual_alias_maps transport_maps smtpd_sender_login_maps virtual_mailbox_maps | tr ', ' '\n\n' | grep '^proxy:pgsql:'); do
        key=$MAIL_USER
        case $map in */domains.cf) key=$MAIL_DOMAIN ;; esac
        found=$(timeout 20 postmap -q "$key" "$map" 2>&1)
        case $?:$found in
        0:* | 1:) ;;
        *)
            printf '%s\n' "the map $map gives no answer | $(printf '%s\n' "$found" | head -n2 | tr '\n' ';')"
            break # all of them go the same way
            ;;
        esac
    done &
    wait
}

of_dovecot() {
    command -v doveconf >/dev/null && grep -qs '^# >>> mailroom' /etc/dovecot/dovecot.conf || return 0
    protocols=$(doveconf -h protocols 2>/dev/null)
    case $(dovecot --version) in
    2.3.*) certificate=$(doveconf -h ssl_cert 2>/dev/null | sed 's/^<//') ;;
    *) certificate=$(doveconf -h ssl_server/ssl_server_cert_file 2>/dev/null) ;;
    esac
    # nobody is greeted before there is a passdb: one step of the chapter after the other may be applied by itself
    grep -q '^# >>> mailroom: passdb' /etc/dovecot/dovecot.conf || return 0
    case $protocols in *imap*)
        if greets 143 OK; then shows 143 "$certificate" dovecot imap; else problem 'port 143 does not greet' dovecot; fi &
        shows 993 "$certificate" dovecot &
        ;;
    esac
    case " $protocols " in *sieve*) greets 4190 '' || problem 'port 4190 (ManageSieve) does not answer' dovecot & ;; esac
    lmtp=$(doveconf -n 2>/dev/null | sed -n 's/.*unix_listener \(.*private.*lmtp\) {.*/\1/p' | head -n1)
    [ -z "$lmtp" ] || asks "$lmtp" '' 220 || problem "the socket $lmtp does not say 220" dovecot &
    if doveconf -n 2>/dev/null | grep -qE '^userdb sql \{|dovecot-sql.conf$'; then
        # it does not end for a TERM
        found=$(timeout -s KILL 20 doveadm user "$MAIL_USER" 2>&1) || printf '%s\n' "Dovecot does not find $MAIL_USER | $(printf '%s\n' "${found:-no answer within 20 s}" | head -n2 | tr '\n' ';')" &
    fi
    wait
}

of_workers() {
    if [ -f /etc/amavis/conf.d/60-mailroom ]; then
        signing=$([ ! -f /etc/amavis/conf.d/66-mailroom-dkim ] || echo 10027) # the host's own letters (chapter 6)
        for port in 10024 10026 $signing; do greets $port 220 || problem "Amavis does not say 220 on port $port" amavis; done
    fi
    # from the step on that gives clamd its signatures; its package alone does not start it
    grep -qs ClamAV-clamd /etc/amavis/conf.d/62-mailroom-clamav || return 0
    asks "$(awk '$1 == "LocalSocket" {print $2}' /etc/clamav/clamd.conf)" PING PONG || problem 'clamd does not answer PING' clamav-daemon
}

# A daemon that has only just been restarted is given its time; so is Dovecot, which after errors asks PostgreSQL once a minute. All
# is asked at once: one that hangs at each question would cost minutes.
until=$(($(date +%s) + 65))
while problems=$({ of_postfix & of_dovecot & of_workers & wait; } | sort); [ -n "$problems" ] && [ "$(date +%s)" -lt $until ]; do
    sleep 1
done
[ -n "$problems" ] || rm -f /run/mailroom.unproven # asked, and answered
printf '%s\n' "$problems"
