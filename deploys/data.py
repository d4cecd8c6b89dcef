"""The inventory's data, checked: all problems are reported at once, before a host is touched."""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import Field

from deploys import authority, challenge
from deploys.addresses import (
    LONGEST_HOST,
    LONGEST_NAME,
    alias_problems,
    local_names,
    lower,
    name_problem,
    with_required,
)
from deploys.kinds import Problems, shown
from deploys.knobs import Knobs, read
from deploys.secrets import DAEMONS, Secrets, SecretsError, load
from deploys.secrets import problems as secret_problems
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

    @property
    def certificate_names(self) -> list[str]:
        """The names that an authority is asked to sign for, the server's own first; others ask for another certificate.

        Not the mail domains: their names lead to a website, most often on another host, and no client connects to them here.
        """
        return list(dict.fromkeys([self.hostname, *self.acme_names, *self.https_names]))

    @property
    def https_names(self) -> list[str]:
        """The names by which this host is asked on port 443, beside its own: in each mail domain those that a protocol has for it."""
        asked = [*(["mta-sts"] if self.mta_sts else []), *(["autoconfig", "autodiscover"] if self.autoconfig else [])]
        return [f"{name}.{domain}" for domain in self.domains for name in asked]

    @property
    def port_80(self) -> bool:
        """Whether the authority asks this host on port 80 (HTTP-01), and not the DNS (DNS-01)."""
        return self.acme and self.acme_dns is None

    @property
    def on_the_web(self) -> bool:
        """Whether a web server is needed at all."""
        return self.port_80 or bool(self.https_names)


class DataError(Problems):
    """`problems`: one sentence each, naming the value, the rule and the remedy."""


def mail_data(
    values: dict[str, Any], host_name: str, connector_keys: Iterable[str] = (), secrets_too: bool = True
) -> MailData:
    """Check a host's data (`host.data.dict()`) and build a `MailData`. Raises DataError with every problem found.

    `connector_keys` are the keys of the host's connector, where pyinfra does not bring it. Without
    `secrets_too` no file is read, and "(secret)" stands for each.
    """
    given = {key: value for key, value in values.items() if key in Knobs.model_fields}
    knobs, wrong = read(given)
    users = {}
    for person in knobs.mail_users:
        local, domain = person.email.split("@")
        users[person.email] = {"realname": person.name, "maildir": f"{domain}/{local}/"}
    postmaster = lower(next(iter(users)) if knobs.mail_postmaster is None else knobs.mail_postmaster)
    known = MailData.model_construct(
        **dict(knobs),
        hostname=lower(host_name if knobs.mail_hostname is None else knobs.mail_hostname),
        domains=knobs.mail_domains,
        users=users,
        aliases=with_required(knobs.mail_aliases, postmaster, knobs.mail_domains, users),
        postmaster=postmaster,
        scheme=knobs.password_scheme or "",
        secrets=Secrets(dict.fromkeys(users, "(secret)"), dict.fromkeys(DAEMONS, "(secret)")),
    )
    problems = _unknown([key for key in values if key not in given], set(connector_keys))
    problems += [problem for name in Knobs.model_fields for problem in wrong.get(name, ())]
    problems += [problem for ask, names in TOGETHER.items() if not names & wrong.keys() for problem in ask(known)]
    if secrets_too and not {"accounts_file", "secrets_file"} & wrong.keys():
        try:
            secrets = load(knobs.accounts_file, knobs.secrets_file)
            known = known.model_copy(update={"secrets": secrets})
            logs_in = bool(knobs.relayhost and knobs.relayhost_user)
            problems += secret_problems(secrets, () if "mail_users" in wrong else users, logs_in)
            if known.acme and known.acme_dns:
                problems += challenge.secret_problems(secrets.services.get(challenge.SECRET), secrets.secrets_file)
        except SecretsError as error:
            problems += error.problems
    if problems:
        raise DataError(*dict.fromkeys(problems))
    return known


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


def _hostname(known: MailData) -> Iterator[str]:
    name = known.hostname
    if problem := name_problem(name):
        yield (
            f"mail_hostname {shown(name)} is not a full host name, and mail servers refuse such a greeting; {problem}. "
            "Set mail_hostname = 'mail.your-domain.org' for this host in the inventory"
        )
    elif len(name) > LONGEST_HOST:
        yield (
            f"mail_hostname {shown(name)} has {len(name)} characters, and Linux and certificates take {LONGEST_HOST}; "
            "give the host a shorter name"
        )


def _local(known: MailData) -> Iterator[str]:
    """Mail domains that Postfix would treat as local and as virtual."""
    for domain in known.domains:
        if domain == known.hostname:
            yield (
                f"mail_domains: {domain!r} is also mail_hostname; Postfix would take it as local and as virtual. "
                f"Name the host mail.{domain} (chapter 2, delivery)"
            )
        elif domain in local_names(known.hostname, known.domains[0]) or "localhost" in domain.split("."):
            yield (
                f"mail_domains: {domain!r} is the host itself (main.cf, mydestination); Postfix would take it as local and "
                "as virtual. Choose another name"
            )


def _homeless(known: MailData) -> Iterator[str]:
    for email in known.users:
        if email.rpartition("@")[2] not in known.domains:
            yield f"mail_users: the domain of {email} is not in mail_domains; add it there"


def _aliases(known: MailData) -> Iterator[str]:
    local = local_names(known.hostname, known.domains[0])
    return alias_problems(known.aliases, known.postmaster, known.users, known.domains, local)


def _record(known: MailData) -> Iterator[str]:
    for domain in known.domains:
        name = f"{known.dkim_selector}._domainkey.{domain}"
        if len(name) > LONGEST_NAME:
            yield (
                f"dkim_selector: the record {shown(name)} would have a name of {len(name)} characters, and the DNS takes {LONGEST_NAME}; "
                "choose a shorter selector"
            )


def _relay(known: MailData) -> Iterator[str]:
    """A relay that is this host: a letter would go round until it has too many hops."""
    host = (known.relayhost or "").rpartition(":")[0]
    if host in (known.hostname, *local_names(known.hostname, known.domains[0])):
        yield (
            f"relayhost {shown(known.relayhost)} is this host itself; write your provider's server, or relayhost = None to send "
            "each letter directly"
        )


def _paths(known: MailData) -> Iterator[str]:
    if known.tls_certificate == known.tls_key:
        yield f"tls_certificate and tls_key are both {known.tls_key!r}; one would overwrite the other. Give each a file of its own"
    for name in ("tls_certificate", "tls_key"):
        path = getattr(known, name)
        folder = path.rpartition("/")[0]
        if (path + "/").startswith(known.mail_home + "/"):
            yield f"{name} = {path!r} is inside mail_home, where the mail's owner may write; put it elsewhere"
        elif known.tls_self_signed and systems_own(folder) in (folder, "/etc") and folder.count("/") < 2:
            yield (
                f"{name} = {path!r} would be made in {folder or '/'}, a directory of the system; "
                "give it a directory of its own, like /etc/postfix/certs"
            )


def _scores(known: MailData) -> Iterator[str]:
    score, refuse = known.spam_score, known.spam_refuse_score
    if refuse is not None and refuse < score:
        yield (
            f"spam_refuse_score = {refuse!r} is below spam_score = {score!r}: it would refuse letters that are not even filed as spam; "
            "raise it"
        )


def _scanner(known: MailData) -> Iterator[str]:
    if known.antivirus and not known.signature_updates and not known.virus_signatures:
        yield (
            "antivirus is True, but signature_updates is False and virus_signatures is empty: clamd does not start without "
            "a signature. Set signature_updates = True, or antivirus = False"
        )


def _authority(known: MailData) -> Iterator[str]:
    if known.acme and not known.tls_self_signed:
        yield (
            "acme is True, and so is your own pair (tls_self_signed = False), which mailroom never replaces; "
            "set one of them: acme = False, or tls_self_signed = True"
        )
    if known.acme and known.acme_directory == authority.LETS_ENCRYPT:
        if len(known.certificate_names) > authority.MOST_NAMES:
            yield (
                f"acme: the certificate would have {len(known.certificate_names)} names, and Let's Encrypt signs {authority.MOST_NAMES} "
                "at most; set mta_sts = None or autoconfig = False, or spread the domains over two servers"
            )
        for name in filter(authority.nobodys, known.certificate_names):
            yield (
                f"acme: no public authority gives a certificate for {name}, a name that is nobody's (RFC 6761); "
                "set mail_hostname to one of a domain of yours, or acme = False"
            )


def _challenge(known: MailData) -> Iterator[str]:
    return challenge.problems(known.acme, known.acme_dns, known.acme_dns_key)


def _https(known: MailData) -> Iterator[str]:
    """What is fetched over https by programs: they take no certificate that nobody vouches for, and ask no person."""
    wanted = [name for name in ("mta_sts", "autoconfig") if getattr(known, name)]
    if wanted and known.tls_self_signed and not known.acme:
        yield (
            f"{' and '.join(wanted)}: this is fetched over https, and a self-signed certificate is refused there; set acme = True, or "
            "bring your own pair with these names (tls_self_signed = False)"
        )
    for name in known.https_names:
        if len(name) > LONGEST_NAME:
            yield (
                f"{' and '.join(wanted)}: {shown(name)} has {len(name)} characters, and the DNS takes {LONGEST_NAME}; "
                "leave that domain to a server that does without"
            )


# What values have to do with each other, and the knobs that have to be right by themselves before it is asked.
TOGETHER: dict[Callable[[MailData], Iterable[str]], set[str]] = {
    _hostname: {"mail_hostname"},
    _local: {"mail_domains"},
    _homeless: {"mail_domains", "mail_users"},
    _aliases: {"mail_domains", "mail_users", "mail_aliases", "mail_postmaster"},
    _record: {"mail_domains", "dkim_selector"},
    _relay: {"mail_hostname", "mail_domains", "relayhost"},
    _paths: {"mail_home", "tls_certificate", "tls_key"},
    _authority: {"mail_hostname", "mail_domains", "tls_self_signed", "acme_directory", "acme_names", "mta_sts"},
    _challenge: {"acme", "acme_dns", "acme_dns_key"},
    _https: {"mail_domains", "tls_self_signed", "mta_sts"},
    _scores: {"spam_score", "spam_refuse_score"},
    _scanner: {"antivirus", "signature_updates", "virus_signatures"},
}
