"""The inventory's data, checked: all problems are reported at once, before a host is touched."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import Field

from deploys.addresses import LONGEST_HOST, local_names, lower, name_problem, with_aliases
from deploys.kinds import shown
from deploys.knobs import Knobs, read
from deploys.secrets import DAEMONS, Secrets, SecretsError, account_problems, load, service_problems
from deploys.unix import systems_own

OWN_KEYS = "x_"  # for keys that an operator adds to the inventory


class MailData(Knobs):
    """The data of the chapters: every knob by its name, and what follows from them.

    Addresses are lower case: Dovecot lowercases what a client logs in with.
    """

    hostname: str
    domains: list[str]
    users: dict[str, dict[str, str]]  # email: {"realname": …, "maildir": "example.test/foo/"}
    aliases: dict[str, list[str]]
    postmaster: str
    scheme: str = ""  # password_scheme, or the platform's where that is None
    secrets: Secrets = Field(repr=False)

    @property
    def values(self) -> dict[str, Any]:
        """The knobs by name, for the texts of the chapters."""
        return {name: getattr(self, name) for name in Knobs.model_fields}


class DataError(ValueError):
    """`problems`: one sentence each, naming the value, the rule and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def mail_data(
    values: dict[str, Any], host_name: str, connector_keys: Iterable[str] = (), secrets_too: bool = True
) -> MailData:
    """Check a host's data (`host.data.dict()`) and build a `MailData`. Raises DataError with every problem found.

    `connector_keys` are the keys of the host's connector, where pyinfra does not bring it. Without
    `secrets_too` no file is read, and "(secret)" stands for each.
    """
    given = {key: value for key, value in values.items() if key in Knobs.model_fields}
    knobs, wrong = read(given)
    problems = _unknown([key for key in values if key not in given], set(connector_keys))
    problems += [problem for name in Knobs.model_fields for problem in wrong.get(name, ())]

    hostname = lower(knobs.mail_hostname or host_name)
    if "mail_hostname" not in wrong:
        problems += _hostname(hostname)
    users = {person.email: _mailbox(person.email, person.name) for person in knobs.mail_users}
    domains = knobs.mail_domains
    aliases: dict[str, list[str]] = {}
    postmaster = lower(knobs.mail_postmaster or next(iter(users)))
    if "mail_domains" not in wrong:
        problems += _local(domains, hostname)
        if "mail_users" not in wrong:
            problems += _homeless(users, domains)
            if not {"mail_aliases", "mail_postmaster"} & set(wrong):
                aliases = with_aliases(knobs.mail_aliases, postmaster, domains, users, hostname, problems)
    problems += [] if {"mail_home", "tls_certificate", "tls_key"} & set(wrong) else _paths(knobs)
    problems += [] if {"spam_score", "spam_refuse_score"} & set(wrong) else _scores(knobs)
    if not {"antivirus", "signature_updates", "virus_signatures"} & set(wrong):
        problems += _scanner(knobs)

    secrets = Secrets(dict.fromkeys(users, "(secret)"), dict.fromkeys(DAEMONS, "(secret)"))
    if secrets_too and not {"accounts_file", "secrets_file"} & set(wrong):
        try:
            secrets = load(knobs.accounts_file, knobs.secrets_file)
        except SecretsError as error:
            problems += error.problems
        else:
            people = [] if "mail_users" in wrong else list(users)
            problems += account_problems(secrets, people) + service_problems(secrets)
    if problems:
        raise DataError(list(dict.fromkeys(problems)))
    return MailData.model_construct(
        **{name: getattr(knobs, name) for name in Knobs.model_fields},
        hostname=hostname,
        domains=domains,
        users=users,
        aliases=aliases,
        postmaster=postmaster,
        scheme=knobs.password_scheme or "",
        secrets=secrets,
    )


def _unknown(keys: list[Any], connector_keys: set[str]) -> list[str]:
    """Keys that are no knobs: pyinfra's own pass, and the operator's own that say so."""
    pyinfras = pyinfra_keys() | connector_keys
    problems = []
    for key in map(str, keys):
        if key in pyinfras or key.startswith(OWN_KEYS):
            continue
        near = get_close_matches(key, [*Knobs.model_fields, *sorted(pyinfras)], 1, 0.7)
        if key.startswith("_") and not near:  # a helper of a group_data file
            continue
        remedy = f"did you mean {near[0]}? " if near else ""
        problems.append(
            f"there is no knob {shown(key)}; {remedy}docs/knobs.md has them all, and a key of your own begins with {OWN_KEYS}"
        )
    return problems


def pyinfra_keys() -> set[str]:
    """The names that pyinfra reads from a host's data: its connectors' and its operations' global arguments."""
    from pyinfra.api.arguments import all_argument_meta
    from pyinfra.connectors import docker, ssh

    others = {"docker_image", "chroot_directory", "fake_responses", "fake_delay", "fake_delay_jitter"}
    return {*all_argument_meta, *ssh.connector_data_meta, *docker.connector_data_meta, *others} - {"name"}


def _hostname(hostname: str) -> list[str]:
    if problem := name_problem(hostname):
        return [
            f"mail_hostname {shown(hostname)} is not a full host name, and mail servers refuse such a greeting; {problem}. "
            "Set mail_hostname = 'mail.your-domain.org' for this host in the inventory"
        ]
    if len(hostname) > LONGEST_HOST:
        return [
            f"mail_hostname {shown(hostname)} has {len(hostname)} characters, and Linux and certificates take {LONGEST_HOST}; "
            "give the host a shorter name"
        ]
    return []


def _mailbox(email: str, name: str) -> dict[str, str]:
    local, _, domain = email.rpartition("@")
    return {"realname": name, "maildir": f"{domain}/{local}/"}


def _local(domains: list[str], hostname: str) -> list[str]:
    """Mail domains that Postfix would treat as local and as virtual."""
    problems = []
    for domain in domains:
        if domain == hostname:
            problems.append(
                f"mail_domains: {domain!r} is also mail_hostname; Postfix would take it as local and as virtual. "
                f"Name the host mail.{domain} (chapter 2, delivery)"
            )
        elif domain in local_names(hostname, domains[0]) or "localhost" in domain.split("."):
            problems.append(
                f"mail_domains: {domain!r} is the host itself (main.cf, mydestination); Postfix would take it as local and "
                "as virtual. Choose another name"
            )
    return problems


def _homeless(users: dict[str, dict[str, str]], domains: list[str]) -> list[str]:
    return [
        f"mail_users: the domain of {email} is not in mail_domains; add it there"
        for email in users
        if email.rpartition("@")[2] not in domains
    ]


def _paths(knobs: Knobs) -> list[str]:
    problems = []
    if knobs.tls_certificate == knobs.tls_key:
        problems.append(
            f"tls_certificate and tls_key are both {knobs.tls_key!r}; one would overwrite the other. Give each a file of its own"
        )
    for name in ("tls_certificate", "tls_key"):
        path = getattr(knobs, name)
        folder = path.rpartition("/")[0]
        if (path + "/").startswith(knobs.mail_home + "/"):
            problems.append(
                f"{name} = {path!r} is inside mail_home, where the mail's owner may write; put it elsewhere"
            )
        elif knobs.tls_self_signed and systems_own(folder) in (folder, "/etc") and folder.count("/") < 2:
            problems.append(
                f"{name} = {path!r} would be made in {folder or '/'}, a directory of the system; "
                "give it a directory of its own, like /etc/postfix/certs"
            )
    return problems


def _scores(knobs: Knobs) -> list[str]:
    score, refuse = knobs.spam_score, knobs.spam_refuse_score
    if refuse is None or refuse >= score:
        return []
    return [
        f"spam_refuse_score = {refuse!r} is below spam_score = {score!r}: it would refuse letters that are not even filed as spam; raise it"
    ]


def _scanner(knobs: Knobs) -> list[str]:
    if not knobs.antivirus or knobs.signature_updates or knobs.virus_signatures:
        return []
    return [
        "antivirus is True, but signature_updates is False and virus_signatures is empty: clamd does not start without "
        "a signature. Set signature_updates = True, or antivirus = False"
    ]
