"""Every knob of the inventory: its type, range, unit and default, and why there is one. This is the one truth.

`group_data/all.py`, which pyinfra reads, takes the defaults from here; `python -m deploys.knobs` prints docs/knobs.md.
A new knob is one line here: `name: type = knob(default, "why", …)`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from deploys import forms
from deploys.kinds import InOrder, Problems, Switch, knob, optional, sentence

Path = Annotated[str, AfterValidator(forms.path)]
File = Annotated[str, AfterValidator(forms.file_name)]
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
    spam_network_tests: Switch = knob(True, "SpamAssassin asks DNS blocklists and the sender's SPF and DKIM records")
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
        return {
            key: None
            if isinstance(value, str) and value.lower() in ("none", "null") and optional(cls.model_fields[key])
            else value
            for key, value in values.items()
        }


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
    from deploys.knobs_table import markdown

    return markdown(Knobs.model_fields)


if __name__ == "__main__":
    print(table(), end="")
