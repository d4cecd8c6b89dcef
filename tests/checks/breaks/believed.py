"""Chapter 6 broken on purpose."""

from tests.checks.breaks.base import DOVECOT_BACK, POSTFIX, POSTFIX_BACK, Break, amavis, postfix

# What is called spam is not signed either, and both letters would be.
ORIGINATING = amavis("$originating = 1;", "believed.signing.not_strangers believed.signing.not_sent_on")
POLICY, POLICY_SITE = "/var/lib/mailroom-web/mta-sts.txt", "/etc/nginx/mailroom.d/mta-sts.conf"
STS = "postfix-mta-sts-resolver"
RESOLVER, OWN, CHROOT = (
    "systemctl restart mailroom-resolver",
    "/etc/unbound/mailroom.d/zz.conf",
    "/var/lib/mailroom-resolver/etc",
)
DROP_IN = "$(dirname $(ls /etc/systemd/system/postfix*.service.d/mailroom-supervised.conf))/mailroom-resolver.conf"
NGINX, WEB = "/etc/nginx/mailroom.conf", "sleep 0.3; systemctl restart mailroom-web"
PAGES, SITE = "/var/lib/mailroom-web/clients", "/etc/nginx/mailroom.d/clients.conf"


def edited(path: str, words: str, seen: str) -> Break:
    """A file of the web server's with another text, by sed."""
    return Break(
        f"cp -p {path} /root/web.kept; sed -i '{words}' {path}; {WEB}", seen, f"mv /root/web.kept {path}; {WEB}"
    )


# The host's own key, signed by another authority 85 days ago for 90: certbot's Python can make one of any age.
AGEING = """cat >/root/age.py <<'EOF'
from datetime import datetime, timedelta
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
folder = "/etc/postfix/certs/"
key = serialization.load_pem_private_key(open(folder + "key.pem", "rb").read(), None)
def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
now = datetime.utcnow()
made = x509.CertificateBuilder(name("An authority"), name("mx1.example.test"), key.public_key(), 9)
made = made.not_valid_before(now - timedelta(days=85)).not_valid_after(now + timedelta(days=5, hours=1))
made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("mx1.example.test")]), False).sign(key, hashes.SHA256())
open(folder + "cert.pem", "wb").write(made.public_bytes(serialization.Encoding.PEM))
EOF
python3 /root/age.py"""
BACK = f"rm -f /root/age.py; {POSTFIX_BACK}; {DOVECOT_BACK}"
TIMER = "systemctl {} mailroom-certificate.timer mailroom-acme.timer"
BREAKS = {
    "nobody at the door": amavis(
        '@spam_scanners = grep { $_->[0] ne "Door" } @spam_scanners;', "believed.door.line believed.door.filed"
    ),
    "everybody's verdict": amavis(
        '$allowed_added_header_fields{lc "Authentication-Results"} = 0;', "believed.door.line believed.door.no_others"
    ),
    "a certificate that nobody has renewed": Break(
        f"{TIMER.format('stop')}; {AGEING}",
        "believed.certificate.renewal postfix.certificate.dates believed.certificate.shown",
        f"{BACK}; {TIMER.format('start')}",
    ),
    "a certificate of our own again": Break(
        f"{TIMER.format('stop')}; openssl req -x509 -key /etc/postfix/certs/key.pem -days 90 -subj /O=mailroom/CN=x "
        "-addext subjectAltName=DNS:mx1.example.test -out /etc/postfix/certs/cert.pem 2>/dev/null",
        "believed.certificate.trusted",
        f"{BACK}; {TIMER.format('start')}",
    ),
    "nobody renews": Break(
        "systemctl stop certbot.timer", "believed.certificate.renewal", "systemctl start certbot.timer"
    ),
    "the authority would find nobody": Break(
        "systemctl stop mailroom-web",
        "believed.web.challenge believed.web.nothing_else",
        "systemctl start mailroom-web",
    ),
    "an answer to everybody": Break(
        f"cp -p {NGINX} /root/nginx.conf; sed -i 's/return 404;/return 200 hello;/' {NGINX}; {WEB}",
        "believed.web.nothing_else",
        f"mv /root/nginx.conf {NGINX}; {WEB}",
    ),
    "an answer to everybody who asks with TLS": Break(
        f"cp -p {NGINX} /root/nginx.conf; sed -i '/443 ssl/,/}}/s/return 404;/return 200 hello;/' {NGINX}; {WEB}",
        "believed.web.nothing_on_443",
        f"mv /root/nginx.conf {NGINX}; {WEB}",
    ),
    "an old TLS on the web": Break(
        f"cp -p {NGINX} /root/nginx.conf; "
        f"sed -i 's/ssl_protocols .*/ssl_protocols TLSv1.1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0;/' {NGINX}; {WEB}",
        "believed.web.old_tls",
        f"mv /root/nginx.conf {NGINX}; {WEB}",
    ),
    "another certificate on the web": Break(
        f"cp -p {NGINX} /root/nginx.conf; openssl req -x509 -nodes -newkey rsa:2048 -keyout /root/web.key -days 9 -subj /CN=x "
        f"-out /root/web.pem 2>/dev/null; sed -i 's,ssl_certificate .*,ssl_certificate /run/web.pem;,; "
        f"s,ssl_certificate_key .*,ssl_certificate_key /run/web.key;,' {NGINX}; mv /root/web.pem /root/web.key /run; {WEB}",
        "believed.web.https believed.web.nothing_on_443",
        f"mv /root/nginx.conf {NGINX}; rm -f /run/web.pem /run/web.key; {WEB}",
    ),
    "a promise that nobody can read": Break(
        f"cp -p {POLICY} /root/mta-sts.txt; sed -i 's/^version: .*/version: 1/' {POLICY}",
        "believed.policy.served believed.policy.kept",
        f"mv /root/mta-sts.txt {POLICY}",
    ),
    "a promise for another server": Break(
        f"cp -p {POLICY} /root/mta-sts.txt; sed -i 's/^mx: .*/mx: mx.elsewhere.example/' {POLICY}",
        "believed.policy.kept",
        f"mv /root/mta-sts.txt {POLICY}",
    ),
    "a promise by any path": Break(
        f"cp -p {POLICY_SITE} /root/mta-sts.conf; sed -i 's/return 404;/return 200 hello;/' {POLICY_SITE}; {WEB}",
        "believed.policy.nowhere_else",
        f"mv /root/mta-sts.conf {POLICY_SITE}; {WEB}",
    ),
    "nobody says what others promise": Break(f"systemctl stop {STS}", "believed.sts.asked", f"systemctl start {STS}"),
    "no authority to trust": postfix("postconf -P smtp/unix/smtp_tls_CAfile=/dev/null", "believed.sts.trust"),
    "Amavis's letters wait for the answer, too": postfix(
        "postconf -e smtp_tls_policy_maps=socketmap:unix:run/mta-sts/map.sock:postfix", "believed.sts.others_only"
    ),
    "anybody may answer for it": Break(
        "chmod 777 /var/spool/postfix/run/mta-sts", "believed.sts.closed", "chmod 750 /var/spool/postfix/run/mta-sts"
    ),
    "every name shown our certificate": edited(
        NGINX, "s/ssl_reject_handshake on;/return 404;/", "believed.web.other_names"
    ),
    "clients led to a port where nobody is": edited(
        f"{PAGES}/config-v1.1.xml", "s/993/9993/", "believed.clients.found believed.clients.outlook"
    ),
    "clients told another domain's page": edited(
        SITE, "s/MAILDOMAIN% example.test/MAILDOMAIN% other.test/", "believed.clients.domains"
    ),
    "half an address for Outlook": edited(f"{PAGES}/autodiscover.xml", "/LoginName/d", "believed.clients.outlook"),
    "another port for Apple": edited(f"{PAGES}/mail.mobileconfig", "s/993/995/", "believed.clients.apple"),
    "clients led to where TLS is not": edited(
        f"{PAGES}/config-v1.1.xml", "s/STARTTLS/plain/", "believed.clients.encrypted"
    ),
    "an answer to whatever is posted": edited(SITE, "/return 400;/d", "believed.clients.nothing_back"),
    "a list of what clients are told": edited(
        SITE, f"s,return 404;,root {PAGES}; autoindex on;,", "believed.clients.nothing_else"
    ),
    "a note of who asks": edited(
        NGINX, "s,access_log off,access_log /run/mailroom-web/log,", "believed.clients.forgotten"
    ),
    "a key for all readers": Break(
        "chmod 644 /etc/letsencrypt/archive/mailroom/privkey1.pem",
        "believed.certificate.private",
        "chmod 600 /etc/letsencrypt/archive/mailroom/privkey1.pem",
    ),
    "a server's certificate shown as a client's": postfix(
        "postconf -e smtp_tls_cert_file=/etc/postfix/certs/cert.pem smtp_tls_key_file=/etc/postfix/certs/key.pem",
        "believed.certificate.servers_only",
    ),
    "no resolver": Break(
        "systemctl stop mailroom-resolver",
        "believed.dane.resolver believed.dane.forged",
        "systemctl start mailroom-resolver",
    ),
    "a resolver that verifies nothing": Break(
        f"printf 'server:\\n  module-config: iterator\\n' >{OWN}; {RESOLVER}",
        "believed.dane.resolver believed.dane.forged",
        f"rm {OWN}; {RESOLVER}",
    ),
    "a resolver for everybody": Break(
        f"printf 'server:\\n  interface: %s\\n' $(hostname -I) >{OWN}; {RESOLVER}",
        "believed.dane.only_here",
        f"rm {OWN}; {RESOLVER}",
    ),
    "a Postfix that asks as the host does": Break(
        f"mv {DROP_IN} /root; systemctl daemon-reload; {POSTFIX}",
        "believed.dane.asked",
        f"mv /root/mailroom-resolver.conf {DROP_IN}; systemctl daemon-reload; {POSTFIX}",
    ),
    "another resolver in Postfix's own copy": Break(
        f"echo nameserver 192.0.2.1 >{CHROOT}/resolv.conf",
        "believed.dane.asked",
        f"cp /etc/unbound/mailroom.resolv.conf {CHROOT}/resolv.conf",
    ),
    "nobody asks for a key": postfix("postconf -P smtp/unix/smtp_tls_security_level=may", "believed.dane.wanted"),
    "nobody signs": amavis(
        "$enable_dkim_signing = 0;",
        "believed.signing.own_letter believed.signing.host_letter believed.signing.altered",
    ),
    "everybody's letters are ours": Break(
        f"echo 'score MAILROOM_FORGED_FROM 0' > /etc/spamassassin/zz.cf; {ORIGINATING.done}",
        ORIGINATING.seen,
        f"rm /etc/spamassassin/zz.cf; {ORIGINATING.back}",
    ),
    "the host's letters by the strangers' road": postfix(
        "postconf -P pickup/unix/content_filter=smtp-amavis:[127.0.0.1]:10024", "believed.signing.host_letter"
    ),
    "a key that has signed for years": Break(
        "cd /etc/amavis/mailroom-dkim/example.test; cp -p signing /root; sed -i '1s/ 20[0-9]*/ 2020/' signing; "
        "touch -r /root/signing signing; chown root:amavis signing",
        "believed.signing.young",
        "mv /root/signing /etc/amavis/mailroom-dkim/example.test",
    ),
    "a key for everybody": Break(
        "chmod 644 /etc/amavis/mailroom-dkim/*/*", "believed.signing.private", "chmod 640 /etc/amavis/mailroom-dkim/*/*"
    ),
}

# On a server whose authority finds its answer in the DNS (tests/live/test_certificate_dns.py).
DNS_KEY, NOTES = "/etc/mailroom-acme-dns.ini", "/etc/letsencrypt/renewal/mailroom.conf"
ANSWERED_IN_THE_DNS = {
    "a nameserver's key for all readers": Break(
        f"chmod 644 {DNS_KEY}", "believed.certificate.private", f"chmod 600 {DNS_KEY}"
    ),
    "a key that nobody has tried": Break(
        f"cp -p {DNS_KEY} /root/dns.ini; sed -i 's/= HMAC-SHA256/= HMAC-SHA512/' {DNS_KEY}",
        "believed.certificate.renewal",
        f"mv /root/dns.ini {DNS_KEY}",
    ),
    "a renewal that would knock at port 80": Break(
        f"cp -p {NOTES} /root/notes.conf; sed -i 's/^authenticator = .*/authenticator = webroot/' {NOTES}",
        "believed.certificate.renewal",
        f"mv /root/notes.conf {NOTES}",
    ),
}

# On a server that has a relay (tests/live/test_relayhost.py).
ROAD = "mailroom-relay/unix"
RELAYED = {
    "whoever shows any certificate is the relay": postfix(
        f"postconf -P {ROAD}/smtp_tls_security_level=encrypt", "believed.relay.verified"
    ),
    "an authority that has not signed": postfix(
        f"postconf -P {ROAD}/smtp_tls_CAfile=/etc/postfix/certs/cert.pem", "believed.relay.login"
    ),
    "a relay's password for everybody": Break(
        "chmod 644 /etc/postfix/mailroom-relay", "believed.relay.private", "chmod 600 /etc/postfix/mailroom-relay"
    ),
    "the password in a second file": Break(
        "cp /etc/postfix/mailroom-relay /etc/postfix/sasl_passwd",
        "believed.relay.private",
        "rm /etc/postfix/sasl_passwd",
    ),
    "a login for whoever takes our mail": postfix(
        "postconf -e smtp_sasl_auth_enable=yes smtp_sasl_password_maps=texthash:/etc/postfix/mailroom-relay",
        "believed.relay.only_there",
    ),
    "another password": postfix(
        "sed -i 's/:[^:]*$/:another-one-0123/' /etc/postfix/mailroom-relay", "believed.relay.login"
    ),
    "no such way": postfix("postconf -MX mailroom-relay/unix", "believed.relay.road"),
    "nobody at that port": Break(
        f"postconf -e 'relayhost=[world.example.net]:588'; {POSTFIX}; echo | sendmail alice@example.net; "
        "for n in $(seq 200); do postqueue -j | grep -q delay_reason && break; sleep 0.1; done",
        "believed.relay.login believed.relay.none_waits",
        f"postsuper -d ALL >/dev/null 2>&1; {POSTFIX_BACK}",
    ),
}
