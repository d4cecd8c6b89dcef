"""Every knob of the inventory: its type, range, unit and default, and why there is one. This is the one truth.

`group_data/all.py`, which pyinfra reads, takes the defaults from here; `python -m deploys.knobs` prints docs/knobs.md.
A new knob is one line here: `name: type = knob(default, "why", …)`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from deploys import authority, challenge, forms
from deploys.kinds import InOrder, Problems, Switch, knob, optional, sentence
from deploys.knobs_table import markdown

Path = Annotated[str, AfterValidator(forms.path)]
File = Annotated[str, AfterValidator(forms.file_name)]
Relay = Annotated[str | None, BeforeValidator(forms.relay)]
Login = Annotated[str | None, BeforeValidator(forms.login)]
Scheme = Annotated[str | None, BeforeValidator(forms.scheme)]
RESERVED = "is reserved or no number; 0 to 99 belong to the system. Use 200, or another from 100 to 59999"
USERS = [{"email": "foo@example.test", "name": "Foo Lastname"}, {"email": "bar@example.test", "name": "Bar Lastname"}]


class Knobs(BaseModel):
    """The knobs, each checked by itself; what they have to do with each other is in `deploys.data`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    mail_hostname: str | None = knob(
        None,
        "the name that clients connect to and that the certificate carries; None takes the inventory's name of the host",
        section="Who we are",
        rule="a full host name",
    )
    mail_domains: Annotated[list[str], BeforeValidator(forms.domains), InOrder] = knob(
        ["example.test"], "domains that we receive mail for; the first one is also where local mail comes from"
    )
    mail_users: Annotated[list[forms.Person], BeforeValidator(forms.people), InOrder] = knob(
        USERS,
        'who has a mailbox: {"email": …, "name": …} each; the passwords are in accounts_file',
        section="Accounts",
    )
    mail_aliases: Annotated[dict[str, list[str]], BeforeValidator(forms.alias_table)] = knob(
        {}, 'other addresses, and whom they lead to: {"sales@example.test": ["foo@example.test", "bar@example.test"]}'
    )
    mail_postmaster: str | None = knob(
        None, "who gets postmaster@, abuse@ and root's mail; None is the first user", rule="an address"
    )
    prune_accounts: Switch = knob(False, "delete rows that are not in the data any more (mail on the disk stays)")
    password_scheme: Scheme = knob(
        None, "ARGON2ID or SHA512-CRYPT; None takes the better one that the system's Dovecot can verify"
    )
    accounts_file: File = knob(
        "secrets/accounts.json",
        'passwords, on the controller, mode 0600: {"foo@example.test": "password or {SCHEME}hash"}',
        section="Secrets",
        rule="the path of a file",
        quote=False,
    )
    secrets_file: File = knob(
        "secrets/secrets.json",
        """the same for daemons: {"mailreader": "the database role's password"}""",
        rule="the path of a file",
        quote=False,
    )
    mail_owner: Annotated[str, AfterValidator(forms.owner)] = knob(
        "vmail",
        "the Unix owner of the mail; not the database role: two identities",
        section="The owner of the mail",
        rule="a user of its own",
        hint="use 'vmail'",
    )
    mail_uid: int = knob(200, "its number; 200 is the article's", ge=100, le=59999, says=RESERVED)
    mail_gid: int = knob(200, "its group's number", ge=100, le=59999, says=RESERVED)
    mail_home: Annotated[str, AfterValidator(forms.home)] = knob(
        "/home/mail", "where the mail is kept", rule="an absolute path"
    )
    tls_self_signed: Switch = knob(
        True,
        "make the certificate on the host; False: your own pair, which has to be there already",
        section="The certificate for Postfix and Dovecot",
    )
    tls_certificate: Path = knob(
        "/etc/postfix/certs/cert.pem", "the certificate, with its chain", rule="an absolute path"
    )
    tls_key: Path = knob("/etc/postfix/certs/key.pem", "its private key, without a passphrase", rule="an absolute path")
    antivirus: Switch = knob(
        True, "ClamAV; its signatures take 1 to 1.3 GB of memory", section="The trusty workers (chapter 3)"
    )
    amavis_processes: int = knob(
        2,
        "letters that Amavis scans at the same time; each takes some 60 MB",
        ge=1,
        le=64,
        hint="each takes some 60 MB, and 2 suit a server of 2 GB",
    )
    signature_updates: Switch = knob(True, "freshclam fetches ClamAV's signatures, sa-update SpamAssassin's rules")
    virus_signatures: Annotated[list[str], BeforeValidator(forms.signatures), InOrder] = knob(
        [], 'your own signatures, as lines of a .hdb file ("MD5:size:name") or a .ndb file ("name:0:*:bytes in hex")'
    )
    spam_score: float = knob(
        5.0,
        "from here on a message is spam: marked, and filed into Junk (chapter 5)",
        ge=1,
        le=100,
        hint="SpamAssassin's own is 5.0",
    )
    spam_refuse_score: float | None = knob(
        None,
        "from here on port 25 refuses it with 554, while the sender waits; None: never",
        ge=1,
        le=10000,
        hint="15 is a careful one",
    )
    spam_network_tests: Switch = knob(
        True,
        "ask the DNS about strangers' letters: blocklists, SPF, DKIM, ARC and DMARC; without it nothing proves a sender, and no "
        "policy of DMARC is honoured",
    )
    encrypted_archives: Literal["hold", "pass"] = knob(
        "hold",
        "archives with a password, into which no scanner looks: held, and their reader told, or let through; "
        "letters sealed with PGP or S/MIME always pass",
        hint="'hold' is the careful one",
    )
    quarantine_days: int = knob(30, "how long held mail is kept", unit="days", ge=1, le=3650)
    time_sources: Annotated[list[str], BeforeValidator(forms.sources), InOrder] = knob(
        [],
        "servers that chrony asks for the time; [] keeps the distribution's own",
        section="Filtering and time (chapter 5)",
    )
    mail_debug: Switch = knob(False, "log what Dovecot and Sieve do with each message")
    dkim_selector: Annotated[str, AfterValidator(forms.selector)] = knob(
        "mailroom",
        "the name of a domain's first key: its record is SELECTOR._domainkey.DOMAIN; `postmaster dkim rotate` makes the next ones",
        section="Signatures (chapter 6)",
        rule="a name of the DNS without dots",
    )
    trusted_forwarders: Annotated[list[str], BeforeValidator(forms.forwarders), InOrder] = knob(
        [],
        "domains of forwarders and mailing lists whose ARC seal counts: what they say they have seen proved is taken as proved, "
        "under a policy of DMARC that would file the letter",
    )
    acme: Switch = knob(
        False,
        "have an authority sign the server's certificate: certbot asks for it, renews it, and the daemons read it",
        section="The certificate by ACME (chapter 6)",
    )
    acme_directory: Annotated[str, AfterValidator(authority.directory)] = knob(
        authority.LETS_ENCRYPT, "which authority, by its directory's URL; the default is Let's Encrypt", rule="a URL"
    )
    acme_email: Annotated[str | None, AfterValidator(authority.email)] = knob(
        None, "whom the authority may write to about the account; None tells it no address", rule="an address"
    )
    acme_names: Annotated[list[str], BeforeValidator(authority.more_names), InOrder] = knob(
        [], "further names for the certificate; each has to lead to this host, but not with acme_dns"
    )
    acme_trust: Annotated[str | None, AfterValidator(authority.trust)] = knob(
        None,
        "a file on the host with the certificate by which a private authority's own https is trusted; None: as the system does",
        rule="an absolute path",
    )
    acme_dns: Annotated[str | None, BeforeValidator(challenge.server)] = knob(
        None,
        "answer the authority in the DNS, and not on port 80 (DNS-01): the address of the nameserver that takes the answers, as "
        "'192.0.2.53', '192.0.2.53:5353' or '[2001:db8::53]:53'",
    )
    acme_dns_key: Annotated[str | None, AfterValidator(challenge.key)] = knob(
        None,
        'the name of the key (TSIG) with which it takes them; its secret is in secrets_file: {"acme_dns": "…"}',
        rule="a name of the DNS",
    )
    acme_dns_algorithm: Literal["HMAC-SHA1", "HMAC-SHA224", "HMAC-SHA256", "HMAC-SHA384", "HMAC-SHA512"] = knob(
        "HMAC-SHA256", "of that key; the default is what tsig-keygen and keymgr make"
    )
    acme_dns_wait: int = knob(
        60, "how long the zone's other nameservers may take until they have the answer", unit="seconds", ge=1, le=3600
    )
    mta_sts: Literal["testing", "enforce"] | None = knob(
        None,
        "tell others to send to us with TLS and a certificate that they trust, or not at all (MTA-STS): 'testing' has them report "
        "only, 'enforce' has them keep mail back; None publishes nothing",
        section="Told on the web (chapter 6)",
        hint="'testing' first, for some weeks",
    )
    autoconfig: Switch = knob(
        False, "tell mail programs their settings, on the web: they then need an address and a password alone"
    )
    obey_mta_sts: Switch = knob(
        False,
        "where a domain promises TLS with a certificate (MTA-STS, enforce), send to it so or not at all; with relayhost, that is "
        "the relay's to do",
        section="The roads to others (chapter 6)",
    )
    dane: Switch = knob(
        False,
        "verify a receiver's server by DANE, where its domain asks for that: mailroom gives Postfix a resolver of its own that checks "
        "DNSSEC, and that asks the world's nameservers (port 53 outwards)",
    )
    relayhost: Relay = knob(
        None,
        "your provider's mail server, by which all mail for others leaves, as 'smtp.provider.example:587', where the provider "
        "blocks port 25; None: each letter goes to its receiver directly",
    )
    relayhost_user: Login = knob(
        None,
        'the login there; the password is in secrets_file: {"relayhost": "…"}. None: it knows us by our address',
    )
    relayhost_tls: Literal["starttls", "wrapped"] | None = knob(
        None, "how TLS begins there; None: wrapped on port 465, STARTTLS on any other"
    )
    relayhost_ca: Path | None = knob(
        None,
        "a file on the host with the authority that the relay's certificate comes from; None: those that the system trusts",
        rule="an absolute path",
    )
    # ClamAV looks at no file above 2 GiB, and is told to look at four times what a message may have
    message_size_limit: int = knob(
        26214400,
        "the largest message, as sent: 25 MiB carry an attachment of 18 MB",
        section="Limits",
        unit="bytes",
        ge=65536,
        le=536870911,
        hint="25 MiB are 26214400, and many servers take no more",
    )

    @model_validator(mode="before")
    @classmethod
    def _none(cls, values: dict[str, Any]) -> dict[str, Any]:
        """`--data spam_refuse_score=None` is a text on its way."""
        said = [key for key, value in values.items() if isinstance(value, str) and value.lower() in ("none", "null")]
        return values | {key: None for key in said if optional(cls.model_fields[key])}


def defaults() -> dict[str, Any]:
    """Each knob's default, as an inventory would write it."""
    return {name: field.get_default(call_default_factory=True) for name, field in Knobs.model_fields.items()}


def read(values: dict[str, Any]) -> tuple[Knobs, dict[str, list[str]]]:
    """The typed knobs, and by knob what is wrong with its value. A wrong one has its default in the `Knobs`."""
    wrong: dict[str, list[str]] = {}
    try:
        return Knobs(**values), wrong
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            name = str(one["loc"][0])
            cause = one.get("ctx", {}).get("error")
            if isinstance(cause, Problems):
                wrong.setdefault(name, []).extend(cause.problems)
            else:
                wrong[name] = [sentence(name, Knobs.model_fields[name], values[name])]
    return Knobs(**{name: value for name, value in values.items() if name not in wrong}), wrong


def table() -> str:
    """docs/knobs.md: every knob with its kind, its default and its why."""
    return markdown(Knobs.model_fields)


if __name__ == "__main__":
    print(table(), end="")
