"""Mail for others leaves by the relay of relayhost, over TLS that is verified, and only there is the password told; or directly."""

import json
import re
from shlex import quote

from checks.clients import host
from checks.engine import Failed, Target, Warned, claim, negative

NEEDS = "ssh signing"
SERVICE, PASSWORD = "mailroom-relay", "/etc/postfix/mailroom-relay"
OURS = "Run deploys/mailserver.py again: the step believed.relay puts it back."
# Perl's Net::SMTP, which is not what sends the mail, with the authorities and the login that Postfix is told.
KNOCK = r"""use Net::SMTP; use MIME::Base64;
my ($host, $port, $wrapped, $ca, $login) = @ARGV;
my %tls = (SSL_ca_file => $ca, SSL_verify_mode => 1, SSL_verifycn_scheme => "smtp", SSL_verifycn_name => $host, SSL_hostname => $host);
sub done { print "$_[0]|$_[1]"; exit }
my $smtp = Net::SMTP->new($host, Port => $port, Timeout => 15, SSL => $wrapped, $wrapped ? %tls : ());
if (!$smtp) { my $why = $@; done($why =~ /SSL|certificate|hostname/i ? "certificate" : "reached", $why) }
if (!$wrapped) {
  done("certificate", "it does not offer STARTTLS") unless defined $smtp->supports("STARTTLS");
  $smtp->starttls(%tls) or done("certificate", $IO::Socket::SSL::SSL_ERROR || $smtp->message);
}
if ($login) {
  open my $file, "<", $login or done("login", "$login: $!");
  my ($user, $password) = <$file> =~ /^\S+ ([^:]*):(.*)$/ or done("login", "$login has no login in it");
  done("login", "it offers no AUTH") unless defined $smtp->supports("AUTH");
  $smtp->command("AUTH PLAIN", encode_base64("\0$user\0$password", ""))->response == 2 or done("login", $smtp->code . " " . $smtp->message);
}
$smtp->quit; done("ok", $login ? "logged in" : "it needs no login of ours");
"""
CAUSES = {
    "reached": ("the relay cannot be reached", "Is relayhost the name and port that your provider gave you? Does a firewall let it out?"),
    "certificate": (
        "the relay cannot be verified, and gets neither mail nor password",
        "Is relayhost the name in its certificate? An authority that the system does not know belongs into relayhost_ca.",
    ),
    "login": (
        "the relay does not take our login",
        "Correct relayhost_user or the password of 'relayhost' in secrets_file, and run deploys/mailserver.py again: what waits then goes.",
    ),
}  # fmt: skip
SAID = {
    "login": re.compile(r"SASL|\b53[0-9] |mechanism", re.I),
    "certificate": re.compile(r"certificate|TLS", re.I),
    "reached": re.compile(r"refused|timed? ?out|unreachable|no route|not found|lost connection", re.I),
}


def options(target: Target) -> dict[str, str]:
    """The overrides of the relay's service, by name."""
    lines = target.shell(f"postconf -P | grep '^{SERVICE}/unix/'", may_fail=True).splitlines()
    pairs = (line.removeprefix(f"{SERVICE}/unix/").partition(" = ") for line in lines if " =" in line)
    return {name.removesuffix(" ="): value for name, _, value in pairs}


def where(target: Target) -> tuple[str, str]:
    """The relay's name and port."""
    found = re.fullmatch(r"\[(.+)\]:(\d+)", target.shell("postconf -h relayhost"))
    if not found:
        raise Failed("main.cf's relayhost is not [HOST]:PORT", OURS)
    return found[1], found[2]


@claim("Mail for others has one way out, and it is there", remedy=OURS)
def road(target: Target) -> str:
    transport, relay = (target.shell(f"postconf -h {name}") for name in ("default_transport", "relayhost"))
    if transport != SERVICE:
        return f"by {relay}, which is the operator's own" if relay else "directly to its receivers"
    if options(target).get("smtp_tls_security_level") is None:
        raise Failed(f"default_transport is {SERVICE}, and master.cf has no such service: all mail for others waits")
    name, port = where(target)
    return f"by {name}:{port}"


@claim("The relay's certificate holds, and it takes our login", needs="relay")
def login(target: Target) -> str:
    name, port = where(target)
    told = options(target)
    wrapped = "1" if told.get("smtp_tls_wrappermode") == "yes" else "0"
    file = PASSWORD if told.get("smtp_sasl_auth_enable") == "yes" else ""
    words = " ".join(map(quote, (name, port, wrapped, told.get("smtp_tls_CAfile", ""), file)))
    cause, _, said = target.shell(f"perl -e {quote(KNOCK)} {words} 2>&1", may_fail=True, timeout=40).partition("|")
    if cause in CAUSES:
        raise Failed(f"{name}:{port}: {CAUSES[cause][0]}: {' '.join(said.split())}", CAUSES[cause][1])
    if cause != "ok":
        raise Failed(f"it could not be asked: {cause}")
    return f"{name}:{port} is verified; {said}"


@claim(
    "No letter waits for the relay",
    needs="relay",
    remedy="mailq names each letter and its reason; postqueue -f tries them at once.",
)
def none_waits(target: Target) -> str:
    name, _ = where(target)
    reasons = [
        recipient.get("delay_reason", "")
        for line in target.shell("postqueue -j").splitlines()
        if line.startswith("{")
        for recipient in json.loads(line)["recipients"]
    ]
    found = [why for why in reasons if name in why or re.search(r"certificate|SASL", why)]
    if not found:
        return "none"
    last = found[-1]
    for cause, words in SAID.items():
        if words.search(last):
            raise Failed(f"{len(found)} letters wait: {CAUSES[cause][0]}: {last}", CAUSES[cause][1])
    raise Warned(f"{len(found)} letters wait: {last}")


@negative("Whoever stands in its place without its certificate gets nothing", needs="relay", remedy=OURS)
def verified(target: Target) -> str:
    told = options(target)
    want = {
        "smtp_tls_security_level": "secure",
        "smtp_tls_secure_cert_match": "nexthop",
        "smtp_tls_policy_maps": "",
        "smtp_tls_CApath": "",
    }
    if wrong := [f"{name} = {told.get(name)}" for name, value in want.items() if told.get(name) != value]:
        raise Failed("; ".join(wrong))
    return f"{told['smtp_tls_security_level']}, by {told.get('smtp_tls_CAfile')}"


@negative(
    "Only root can read its password, and no other file of Postfix's has it", remedy=f"{OURS} Then change the password."
)
def private(target: Target) -> str:
    if options(target).get("smtp_sasl_auth_enable") != "yes":
        if target.shell(f"ls {PASSWORD} 2>/dev/null", may_fail=True):
            raise Failed(f"{PASSWORD} is there, and no relay asks for it", OURS)
        return "there is none"
    found = host.file(target, PASSWORD)
    if str(found) != "600 root:root":
        raise Failed(f"{PASSWORD}: {found}")
    # the password goes from file to file, and is in no command line
    copies = (
        f"sed 's/^[^:]*:[0-9]* [^:]*://' {PASSWORD} | grep -rlFf - /etc/postfix --exclude={PASSWORD.rpartition('/')[2]}"
    )
    if others := target.shell(copies, may_fail=True).split():
        raise Failed(f"the password is also in {', '.join(others)}")
    return str(found)


@negative("What goes elsewhere, to Amavis for instance, is asked for no login", remedy=OURS)
def only_there(target: Target) -> str:
    lines = target.shell("postconf smtp_sasl_auth_enable lmtp_sasl_auth_enable; postconf -P").splitlines()
    logs_in = re.compile(r"(?:(\S+/unix)/)?\w+_sasl_auth_enable = yes")
    if found := [line for line in lines if (one := logs_in.fullmatch(line)) and one[1] != f"{SERVICE}/unix"]:
        raise Failed("; ".join(found))
    return "only the relay's service logs in anywhere" if options(target) else "nothing logs in anywhere"
