"""Chapter 1: Postfix, the conveyor belt.

The article installs Postfix from a third-party repository that is gone, edits main.cf and master.cf by hand, and opens the
submission service. We change the same values with postconf, on a copy that Postfix has checked.
"""

from deploys.chapters import postfix_texts as texts
from deploys.context import data, platform
from deploys.restart import restart_changed, supervised
from deploys.step import step
from deploys.texts import filled, settings
from operations import certificate as certificates
from operations import files, firewall, hostname, packages, postfix, selinux

OWN_CERTS = "/etc/postfix/certs"  # another directory is the operator's: made where it is missing, and no more
POSTFIX = "/etc/postfix"


@step("Chapter 1: host name", article="HOSTNAME=mail.example.org")
def host_name() -> None:
    """The host's own name is the FQDN that it greets with.

    The article edits /etc/sysconfig/network and reboots; systemd does it at once.
    https://www.freedesktop.org/software/systemd/man/latest/hostnamectl.html
    """
    hostname.is_set(name="The host is called by its full name", fqdn=data().hostname)


@step("Chapter 1: install Postfix", article="yum install postfix")
def install() -> None:
    """The distribution's own Postfix. The article's CentALT repository is gone, and nothing of the kind is needed."""
    packages.installed(name="Install Postfix", names=platform().packages["postfix"], managers=platform().managers)


@step(
    "Chapter 1: who we are",
    article="myhostname = mail.example.org\nmyorigin = $mydomain",
    needs="postfix",
)
def identity() -> None:
    """main.cf: our name, where local mail comes from, and which names are this machine.

    The article leaves mydestination alone in this chapter and adds $mydomain in the next one; a domain must not be both
    local and virtual, so ours never does. https://www.postfix.org/postconf.5.html#mydestination
    local(8) and virtual(8) stop at the first letter when a file of theirs may hold less than a message. They have no limit of
    their own, as there is no quota. https://www.postfix.org/postconf.5.html#virtual_mailbox_limit
    """
    postfix.main_cf(name="Set names in main.cf", settings=settings(texts.IDENTITY))
    firewall.opened(name="The firewall lets in 25", services=("smtp",))


@step("Chapter 1: submission, port 587", article=texts.SUBMISSION_ARTICLE, needs="postfix")
def submission() -> None:
    """master.cf: the service that people, not servers, hand mail to. TLS is required.

    The article also permits mynetworks and turns SASL on right here. We let in only who has logged in; and SASL comes in
    chapter 4, when there is something that answers: until then smtpd would die of a missing SASL server, not refuse.
    https://www.postfix.org/SASL_README.html
    """
    _service("submission", 587, texts.SUBMISSION)
    firewall.opened(name="The firewall lets in 587", services=("smtp-submission",))


@step(
    "Chapter 1: submissions, port 465",
    article="(the article closes 465)",
    needs="postfix",
)
def submissions() -> None:
    """master.cf: submission with TLS from the first byte. In 2013 a forgotten port; since RFC 8314 the preferred one.

    `encrypt` though the wrapper leaves no choice: without it, the laxer rules of port 25 hold here too
    (https://www.postfix.org/postconf.5.html#smtpd_tls_mandatory_ciphers).
    """
    _service("submissions", 465, texts.SUBMISSIONS)
    firewall.opened(name="The firewall lets in 465", services=("smtps",))


@step(
    "Chapter 1: a certificate",
    article="openssl req -new -x509 -days 3650 -nodes -out certs/cert.pem -keyout certs/key.pem",
    needs="postfix",
)
def certificate() -> None:
    """One certificate for Postfix and Dovecot, with the names that clients compare: they ignore the CN since RFC 6125.

    The key stays on the host, for root only. `tls_self_signed = False` leaves the operator's own pair alone.
    """
    known = data()
    if not known.tls_self_signed:
        return
    folder = known.tls_certificate.rpartition("/")[0]
    files.directory(name="Directory for the certificate", path=folder, ours=folder == OWN_CERTS)
    selinux.labelled(name="SELinux lets both read it", path=folder, type="cert_t")
    names = [known.hostname, *(f"{label}{domain}" for domain in known.domains for label in ("", "mail."))]
    certificates.self_signed(
        name="Self-signed certificate",
        certificate=known.tls_certificate,
        key=known.tls_key,
        names=list(dict.fromkeys(names)),
    )


@step(
    "Chapter 1: TLS",
    article="smtpd_tls_key_file = /etc/postfix/certs/key.pem\nsmtpd_tls_cert_file = /etc/postfix/certs/cert.pem",
    needs="postfix",
)
def tls() -> None:
    """main.cf: TLS offered to every server, passwords never without it. https://www.postfix.org/TLS_README.html

    Postfix would also agree on TLS without any certificate (aNULL): whoever sits on the wire is then as good as we are. For
    people's ports only suites with forward secrecy that sign and encrypt in one (RFC 9325, 4.2); a server on 25 may
    speak older ones, as it would fall back to no TLS at all.
    """
    postfix.main_cf(name="Set TLS in main.cf", settings=settings(texts.TLS))


@step(
    "Chapter 1: what we refuse",
    article="smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,defer_unauth_destination",
    needs="postfix",
)
def restrictions() -> None:
    """main.cf: no relay for strangers, with a permanent answer; no address book for guessers.

    defer_unauth_destination answers 454, "try again", to what will never be allowed; reject_ answers 554. VRFY tells who
    has a mailbox. A bare newline is how mail is smuggled past a server. One address holds 20 of the 100 places at most.
    https://www.postfix.org/SMTPD_ACCESS_README.html https://www.postfix.org/smtp-smuggling.html
    """
    postfix.main_cf(name="Set restrictions in main.cf", settings=settings(texts.RESTRICTIONS))


@step(
    "Chapter 1: strangers",
    needs="postfix",
)
def strangers() -> None:
    """What port 25 has taken is never answered by letter: anybody can write anybody's name on the back of an envelope, and
    a bounce or a delivery report would go to him. The postmaster is told instead, with the letter's header.

    The commands' filter is postconf(5)'s own example of a sink, made proof against quotation marks. People who have logged in
    get their bounces and reports as ever. What is taken is handed on as it came. https://www.postfix.org/BACKSCATTER_README.html
    https://www.postfix.org/postconf.5.html#smtpd_command_filter
    """
    files.put(name="What a stranger's RCPT means", path=f"{POSTFIX}/port25.regexp", text=texts.PORT25)
    cleanup, options = filled(texts.STRANGERS_CLEANUP), settings(texts.STRANGERS_CLEANUP_OPTIONS)
    postfix.master_cf(name="A cleanup of their own", service="cleanup-strangers/unix", entry=cleanup)
    postfix.override(name="Its options", service="cleanup-strangers/unix", settings=options)
    postfix.override(name="Port 25 is for strangers", service="smtp/inet", settings=settings(texts.STRANGERS))
    postfix.main_cf(name="The postmaster hears of every bounce", settings=settings(texts.NOTICES))


@step(
    "Chapter 1: root's mail",
    needs="postfix",
)
def aliases() -> None:
    """/etc/aliases: what the machine writes to root reaches a person, by way of postmaster (RFC 5321, 4.5.1).

    So does what is for any other account of the machine and has no line there: nobody reads /var/mail. The world reaches three of
    these names; by default it would reach daemon@ and www-data@ too. https://www.postfix.org/postconf.5.html#local_recipient_maps
    """
    postfix.main_cf(name="Whom the host's own names reach", settings=settings(texts.LOCAL_NAMES))
    known = data()
    postfix.system_aliases(
        name="Root's mail goes to the postmaster",
        wanted={"postmaster": "root", "abuse": "root", "root": f"postmaster@{known.domains[0]}"},
    )


@step(
    "Chapter 1: restart",
    article="/etc/init.d/postfix restart",
    today="systemctl restart postfix",
    needs="postfix",
)
def restart() -> None:
    """Postfix runs with these files, and is started again when it dies: the unit of its package stays dead.

    What is put off is asked again in seconds at first. https://www.postfix.org/TUNING_README.html
    """
    postfix.main_cf(name="How soon what is put off is tried again", settings=settings(texts.RETRIES))
    supervised("postfix")
    restart_changed()


def _service(service: str, port: int, text: str) -> None:
    columns = f"{service} inet n - {platform().chroot} - - smtpd"
    postfix.master_cf(name=f"Service {service} in master.cf", service=f"{service}/inet", entry=columns, port=port)
    postfix.override(name=f"Overrides of {service}", service=f"{service}/inet", settings=settings(text))


STEPS = (
    host_name,
    install,
    identity,
    submission,
    submissions,
    certificate,
    tls,
    restrictions,
    strangers,
    aliases,
    restart,
)
