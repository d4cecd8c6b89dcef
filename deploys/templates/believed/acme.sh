{#!
certbot keeps its pair in /etc/letsencrypt; Postfix and Dovecot go on reading theirs at the old place. So the self-signed pair serves
until there is a better one, and whatever goes wrong leaves what is there. https://eff-certbot.readthedocs.io/en/stable/using.html
!#}
#!/bin/sh
# Made by mailroom, chapter 6. The certificate that an authority signs.
#   acme           asks for it where there is need, and gives it to the daemons; what the timer does, each hour
#   acme order     the same, asked by a person or a run: after a failure not for {{ patience // 60 }} minutes, instead of for hours
#   acme now       the same at once
#   acme install   gives the daemons what certbot has renewed, as certbot calls it
set -u
names={{ names }}
directory={{ directory }}
email={{ email }}
trust={{ trust }}
way={{ way }} # how the authority is answered, by the name of certbot's plugin
{% if acme_dns %}
nameserver={{ server }}
keyname={{ key_name }}
credentials={{ credentials }}
{% else %}
webroot={{ webroot }}
{% endif %}
certificate={{ certificate }}
key={{ key }}
lineage=/etc/letsencrypt/live/mailroom
conf=/etc/letsencrypt/renewal/mailroom.conf
state=/var/lib/mailroom-acme
whole=/var/log/letsencrypt/letsencrypt.log
failed=$state/failed       # when, how often in a row, for which wish; then why
installed=$state/installed # the public keys of what was installed from here, as SHA-256: by them it is known to be ours
{% if acme_dns %}
proved=$state/proved # SHA-256 of the credentials with which the last order came about
{% endif %}

{{ judge_pair }}
say() { printf '%s\n' "$@"; }
sorted() { printf '%s\n' $1 | sort -u; }
listed() { openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null | tr ', ' '\n\n' | sed -n 's/^DNS://p' | sort -u; }
public() { openssl x509 -in "$1" -noout -pubkey 2>/dev/null | openssl pkey -pubin -outform DER 2>/dev/null | sha256sum | cut -d' ' -f1; }

# certbot renews in the last third of a certificate's life; in the last quarter something keeps it from that
overdue() {
    begin=$(date -d "$(openssl x509 -in "$lineage/fullchain.pem" -noout -startdate | cut -d= -f2)" +%s)
    end=$(date -d "$(openssl x509 -in "$lineage/fullchain.pem" -noout -enddate | cut -d= -f2)" +%s)
    [ $(((end - $(date +%s)) * 4)) -lt $((end - begin)) ]
}

# why an order is needed; nothing where the pair that certbot has will do
need() {
    [ -s "$lineage/fullchain.pem" ] || { say 'there is none yet'; return; }
    [ "$(listed "$lineage/fullchain.pem")" = "$(sorted "$names")" ] || { say 'its names are others'; return; }
    [ "$(sed -n 's/^server = //p' "$conf" 2>/dev/null)" = "$directory" ] || { say 'it is of another authority'; return; }
    [ "$(sed -n 's/^authenticator = //p' "$conf")" = "$way" ] || { say 'it was asked for in another way, and would be renewed so'; return; }
{% if acme_dns %}
    [ "$(cat "$proved" 2>/dev/null)" = "$key_now" ] || { say 'the nameserver and its key have not been tried'; return; }
{% endif %}
    ! overdue || { say 'its renewal is overdue'; return; }
    judge_pair "$lineage/fullchain.pem" "$lineage/privkey.pem"
}

# Only what mailroom made may be replaced: its self-signed pair, and what it installed before.
ours() {
    [ -e "$certificate" ] || return 0
    who=$(openssl x509 -in "$certificate" -noout -subject -nameopt RFC2253 2>/dev/null)
    by=$(openssl x509 -in "$certificate" -noout -issuer -nameopt RFC2253 2>/dev/null)
    case $who in *O=mailroom*) [ "${who#subject=}" != "${by#issuer=}" ] || return 0 ;; esac
    grep -qsxF "$(public "$certificate")" "$installed"
}

copy() { # FROM TO MODE
    new=$(mktemp "$2.mailroom.XXXXXX") && cat "$1" >"$new" && chmod "$3" "$new" && mv -f "$new" "$2" || { rm -f "$new"; return 1; }
}

# The certificate last: with the same key, and it is the same at each renewal, one rename is all, and no daemon meets half a pair.
install() {
    problem=$(judge_pair "$lineage/fullchain.pem" "$lineage/privkey.pem")
    [ -z "$problem" ] || { say "not installed: $problem" >&2; return 1; }
    mkdir -p "$state"
    grep -qsxF "$(public "$lineage/fullchain.pem")" "$installed" || public "$lineage/fullchain.pem" >>"$installed" || return 1
    if ! cmp -s "$lineage/fullchain.pem" "$certificate" || ! cmp -s "$lineage/privkey.pem" "$key"; then
        ours || { say "$certificate is not mailroom's, and was left as it is; move it away, or set acme = False" >&2; return 1; }
        cmp -s "$lineage/privkey.pem" "$key" || copy "$lineage/privkey.pem" "$key" 600 || return 1
        copy "$lineage/fullchain.pem" "$certificate" 644 || return 1
        say "installed: the certificate for $(listed "$certificate" | tr '\n' ' ')"
    fi
    {{ programs }}/certificate
}

ask() {
    # who cannot keep what the authority gives would soon have had all that it gives in a week
    if df -Pm /etc "$state" | awk 'NR > 1 && $4 < 20 {full = 1} END {exit !full}'; then
        say 'less than 20 MB are free, and nobody was asked' >"$log"
        return 1
    fi
    [ -z "$trust" ] || export REQUESTS_CA_BUNDLE="$trust"
    [ ! -e "$conf.off" ] || mv "$conf.off" "$conf" # acme was False in between
    domains=
    for name in $names; do domains="$domains -d $name"; done
{% if acme_dns %}
    set -- --dns-rfc2136-credentials "$credentials" --dns-rfc2136-propagation-seconds {{ acme_dns_wait }}
{% else %}
    set -- --webroot-path "$webroot"
{% endif %}
    accounts=/etc/letsencrypt/accounts/${directory#https://}
    for tries in 1 2 3 4 5 6 7 8 9 10 11 12; do # while another certbot of this host works
        certbot certonly --non-interactive --agree-tos --cert-name mailroom --authenticator "$way" "$@" \
            --server "$directory" ${email:+--email} ${email:---register-unsafely-without-email} \
            --key-type rsa --rsa-key-size 3072 --reuse-key --force-renewal --renew-with-new-domains \
            --deploy-hook '{{ programs }}/acme install' --max-log-backups 50 $domains >"$log" 2>&1 && return 0
        if grep -q "can't set attribute" "$log"; then # certbot 2.1 trips over the answer: github.com/certbot/certbot/issues/9539
            sed -n 's/^acme.messages.Error: //p' "$whole" | tail -n 1 >>"$log"
        fi
        if grep -qE 'accountDoesNotExist|Account .* not found|nable to find (existing )?account' "$log" && [ -d "$accounts" ]; then
            rm -rf "$accounts.forgotten"
            mv "$accounts" "$accounts.forgotten" || return 1 # the authority has forgotten it: another one is made
        elif [ "$tries" -le 3 ] && grep -q 'anti-replay nonce' "$log"; then
            sleep 1 # each answer brings a new one; certbot tries that once, and it may be refused, too (RFC 8555, 6.5)
        else
            grep -q 'Another instance of Certbot' "$log" || return 1
            sleep 10
        fi
    done
    return 1
}

# what to do about certbot's complaint
remedy() {
    case $(cat "$log") in
    *'MB are free'*) say 'make room in /etc and /var' ;;
    *rateLimited* | *'too many'*) say 'the authority takes no more orders for now; it says above until when' ;;
    *CERTIFICATE_VERIFY_FAILED*) say 'the authority itself shows a certificate that this host does not trust; a private one: acme_trust names its root' ;;
{% if acme_dns %}
    *"didn't know the key"*) say "$nameserver knows no key $keyname, or knows it with another algorithm: compare acme_dns_key and acme_dns_algorithm with its configuration" ;;
    *"didn't like the signature"* | *'TSIG signature fails'*) say "$nameserver has another secret for the key $keyname: compare 'acme_dns' in secrets_file with its configuration" ;;
    *"didn't like the time"* | *"not within the TSIG"*) say "this host's clock and that of $nameserver differ by minutes: timedatectl says whether this one is right" ;;
    *'from server: REFUSED'* | *'from server: NOTAUTH'*) # its zone was found with this key before that; bind says the first, knot the second
        say "$nameserver knows the key $keyname, and does not let it change these names; allow it TXT of each, on the zone's primary server: $challenges" ;;
    *'determine base domain'*) say "$nameserver knows no key $keyname, or is not the primary server of the zones in which these names are (knot says the same of both): compare acme_dns, acme_dns_key and acme_dns_algorithm with its configuration. $challenges" ;;
    *'from server: '*) say "$nameserver took no answer for the zone of these names; its own log says why: $challenges" ;;
    *'making query: '* | *'adding TXT record: '*) say "can this host reach $nameserver (acme_dns), by TCP? Does a firewall let it out, and in there?" ;;
    *urn:ietf:params:acme:error:unauthorized* | *'ncorrect TXT'* | *'TXT record'* | *'looking up TXT'* | *'DNS problem'* | *NXDOMAIN* | *'Type:   unauthorized'* | *'Type:   dns'*)
        say "$nameserver took the answer, and the authority did not find it in the DNS. Is that the server to which the world is led for these names? Do others of the zone need longer than acme_dns_wait = {{ acme_dns_wait }} seconds? $challenges" ;;
{% else %}
    *NXDOMAIN* | *'DNS problem'* | *'No valid IP'* | *'no A record'* | *'looking up'*) say "each of these names needs an A record (and AAAA, if any) that leads to this host: $names" ;;
    *urn:ietf:params:acme:error:connection* | *urn:ietf:params:acme:error:unauthorized* | *'Type: connection'* | *'Type:   connection'* | *'Type:   unauthorized'*)
        say "each of these names has to lead to this host (A and AAAA), and port 80 has to be open for everybody, at the provider too: $names" ;;
{% endif %}
    *rejectedIdentifier* | *caa*) say 'the authority gives no certificate for such a name; has the domain a CAA record that names another authority?' ;;
    *) say "can this host reach $directory? The whole of it: $whole" ;;
    esac
}

order() {
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    say "asking $directory for a certificate for $names: $1"
    if ask; then
{% if acme_dns %}
        (umask 077 && say "$key_now" >"$proved")
{% endif %}
        rm -f "$failed"
        return 0
    fi
    {
        echo "$(date +%s) $((count + 1)) $wish"
        # certbot's own words, without those on where to ask for help
        grep -vE '^(Saving debug log|An unexpected error occurred|AttributeError: can.t set attribute|Ask for help|See the logfile|- - -|Some challenges have failed|Requesting a cert|Account registered|Renewing|Simulating|Waiting .* propagate|$)' "$log" | cut -c1-600 | head -n 25
        remedy
    } >"$failed.new"
    mv -f "$failed.new" "$failed"
    {
        sed 1d "$failed"
        say "there is no new certificate, and nothing was changed: $(serving)" "this host asks again by itself; at once: {{ programs }}/acme now"
    } >&2
    return 1
}

serving() {
    until=$(openssl x509 -in "$certificate" -noout -enddate 2>/dev/null | cut -d= -f2)
    [ -n "$until" ] && say "the old one goes on serving, until $until" || say "there is no old one"
}

# whether the last order failed so lately that another one would not be kind. A clock that was set back asks for no longer than that.
too_soon() {
    [ "$mode" != now ] && [ "$count" -gt 0 ] || return 1
    wait={{ patience }} left=$count
    if [ "$mode" = timer ]; then # 1, 2, 4, 8, 16, 24 hours, less the timer's own play
        wait=3300
        while [ "$left" -gt 1 ] && [ $wait -lt 80000 ]; do wait=$((wait * 2)) left=$((left - 1)); done
    fi
    left=$((time + wait - $(date +%s)))
    [ $left -gt 0 ] && [ $left -le $wait ]
}

mode=${1:-timer}
if [ "$mode" = install ]; then # certbot calls it for this lineage alone
    install
    exit $?
fi
mkdir -p "$state"
exec 9>"$state/lock"
flock -w 600 9 || { say 'another order of this host does not come to an end' >&2; exit 1; }
{% if acme_dns %}
key_now=$(sha256sum <"$credentials" | cut -d' ' -f1)
challenges=$(printf '_acme-challenge.%s ' $names)
{% endif %}
why=$(need)
wish=$(say "$directory $names{{ ' $key_now' if acme_dns }}" | cksum | cut -d' ' -f1)
time=0 count=0 asked=
[ ! -s "$failed" ] || read -r time count asked <"$failed"
[ "$asked" = "$wish" ] || { time=0 count=0; } # the data has changed since: nobody has asked for this yet
if [ -z "$why" ]; then
    rm -f "$failed"
elif ! too_soon; then
    order "$why" || exit 1
elif [ "$mode" = timer ]; then
    exit 0
else
    {
        say "not asked again: $(date -d "@$time" '+the last time, at %F %T,') the authority gave none:"
        sed 1d "$failed"
        say "$(serving)" "this host asks again by itself; at once: {{ programs }}/acme now"
    } >&2
    exit 1
fi
install
