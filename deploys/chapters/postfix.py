"""Chapter 1: Postfix, the conveyor belt.

The article installs Postfix from a third-party repository that is gone, edits main.cf and master.cf by hand, and opens the
submission service. We change the same values with postconf, on a copy that Postfix has checked.
"""

from pathlib import Path

from deploys.context import data, platform
from deploys.restart import restart_changed, supervised
from deploys.step import step
from deploys.texts import filled, settings
from operations import acme, files, firewall, hostname, packages, postfix, selinux
from operations import certificate as certificates

OWN_CERTS = "/etc/postfix/certs"  # another directory is the operator's: made where it is missing, and no more


@step("Chapter 1: host name", article="HOSTNAME=mail.example.org")
def host_name() -> None:
    """The host's own name is the FQDN that it greets with.

    The article edits /etc/sysconfig/network and reboots; systemd does it at once.
    https://www.freedesktop.org/software/systemd/man/latest/hostnamectl.html
    """
    hostname.hostname(name="The host is called by its full name", hostname=data().hostname)


@step("Chapter 1: install Postfix", article="yum install postfix")
def install() -> None:
    """The distribution's own Postfix. The article's CentALT repository is gone, and nothing of the kind is needed."""
    packages.packages(name="Install Postfix", packages=platform().packages["postfix"], managers=platform().managers)


@step("Chapter 1: who we are", article="myhostname = mail.example.org\nmyorigin = $mydomain", needs="postfix.install")
def identity() -> None:
    """main.cf: our name, where local mail comes from, and which names are this machine.

    The article leaves mydestination alone in this chapter and adds $mydomain in the next one; a domain must not be both
    local and virtual, so ours never does. https://www.postfix.org/postconf.5.html#mydestination
    local(8) and virtual(8) stop at the first letter when a file of theirs may hold less than a message. They have no limit of
    their own, as there is no quota. https://www.postfix.org/postconf.5.html#virtual_mailbox_limit
    """
    wanted = settings("""
        myhostname = {{ mail_hostname }}
        mydomain = {{ mail_domain }}
        myorigin = $mydomain
        mydestination = $myhostname, localhost.$mydomain, localhost
        inet_interfaces = all
        smtpd_banner = $myhostname ESMTP
        message_size_limit = {{ message_size_limit }}
        queue_minfree = {{ queue_minfree }}
        mailbox_size_limit = 0
        virtual_mailbox_limit = 0
        inet_protocols = all
        recipient_delimiter = +
        append_dot_mydomain = no
        relay_domains =
        parent_domain_matches_subdomains =
        """)
    postfix.main_cf(name="Set names in main.cf", settings=wanted)
    firewall.services(name="The firewall lets in 25", services=("smtp",))


@step(
    "Chapter 1: submission, port 587",
    article="""
        syslog_name=postfix/submission
        smtpd_tls_wrappermode=no
        smtpd_tls_security_level=encrypt
        smtpd_sasl_auth_enable=yes
        smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,defer_unauth_destination
        milter_macro_daemon_name=ORIGINATING
        """,
    needs="postfix.install",
)
def submission() -> None:
    """master.cf: the service that people, not servers, hand mail to. TLS is required.

    The article also permits mynetworks and turns SASL on right here. We let in only who has logged in; and SASL comes in
    chapter 4, when there is something that answers: until then smtpd would die of a missing SASL server, not refuse.
    https://www.postfix.org/SASL_README.html
    """
    _service("submission", 587, wrapped="no")
    firewall.services(name="The firewall lets in 587", services=("smtp-submission",))


@step("Chapter 1: submissions, port 465", article="(the article closes 465)", needs="postfix.install")
def submissions() -> None:
    """master.cf: submission with TLS from the first byte. In 2013 a forgotten port; since RFC 8314 the preferred one.

    `encrypt` though the wrapper leaves no choice: without it, the laxer rules of port 25 hold here too
    (https://www.postfix.org/postconf.5.html#smtpd_tls_mandatory_ciphers).
    """
    _service("submissions", 465, wrapped="yes")
    firewall.services(name="The firewall lets in 465", services=("smtps",))


@step(
    "Chapter 1: a certificate",
    article="openssl req -new -x509 -days 3650 -nodes -out certs/cert.pem -keyout certs/key.pem",
    now="openssl x509 -noout -subject -enddate -ext subjectAltName -in {{ tls_certificate }}; rights {{ tls_certificate }} {{ tls_key }}",
    needs="postfix.install",
)
def certificate() -> None:
    """One certificate for Postfix and Dovecot, with the names that clients compare: they ignore the CN since RFC 6125.

    The key stays on the host, for root only. `tls_self_signed = False` leaves the operator's own pair alone; with `acme`, this one
    serves until an authority has signed another (chapter 6).
    """
    known = data()
    if not known.tls_self_signed:
        return
    folder = known.tls_certificate.rpartition("/")[0]
    files.directory(name="Directory for the certificate", path=folder, ours=folder == OWN_CERTS)
    selinux.file_context(name="SELinux lets both read it", path=folder, se_type="cert_t")
    names = [known.hostname, *(f"{label}{domain}" for domain in known.domains for label in ("", "mail."))]
    certificates.pair(
        name="Self-signed certificate",
        certificate=known.tls_certificate,
        key=known.tls_key,
        names=list(dict.fromkeys(names)),
        instead=acme.INSTALLED if known.acme else "",
    )


@step(
    "Chapter 1: TLS",
    article="smtpd_tls_key_file = /etc/postfix/certs/key.pem\nsmtpd_tls_cert_file = /etc/postfix/certs/cert.pem",
    needs="postfix.install postfix.certificate",
)
def tls() -> None:
    """main.cf: TLS offered to every server, passwords never without it. https://www.postfix.org/TLS_README.html

    Postfix would also agree on TLS without any certificate (aNULL): whoever sits on the wire is then as good as we are. For
    people's ports only suites with forward secrecy that sign and encrypt in one (RFC 9325, 4.2); a server on 25 may
    speak older ones, as it would fall back to no TLS at all.
    """
    # In a list of ciphers, SHA1, SHA256 and SHA384 name the suites that still sign each record on its own (CBC); what is left
    # of those with forward secrecy (without kRSA, RSA's own key exchange) signs and encrypts in one: GCM, CCM, ChaCha20.
    wanted = settings("""
        smtpd_tls_cert_file = {{ tls_certificate }}
        smtpd_tls_key_file = {{ tls_key }}
        smtpd_tls_security_level = may
        smtpd_tls_auth_only = yes
        smtpd_tls_protocols = >=TLSv1.2
        smtpd_tls_mandatory_protocols = >=TLSv1.2
        smtpd_tls_exclude_ciphers = aNULL
        smtpd_tls_mandatory_ciphers = high
        smtpd_tls_mandatory_exclude_ciphers = aNULL, kRSA, kDHE, SHA1, SHA256, SHA384, ARIA
        tls_preempt_cipherlist = yes
        tls_ssl_options = NO_COMPRESSION, NO_RENEGOTIATION
        smtpd_tls_received_header = yes
        smtpd_tls_loglevel = 1
        smtp_tls_security_level = may
        smtp_tls_loglevel = 1
        """)
    postfix.main_cf(name="Set TLS in main.cf", settings=wanted)


@step(
    "Chapter 1: what we refuse",
    article="smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,defer_unauth_destination",
    needs="postfix.install",
)
def restrictions() -> None:
    """main.cf: no relay for strangers, with a permanent answer; no address book for guessers.

    defer_unauth_destination answers 454, "try again", to what will never be allowed; reject_ answers 554. VRFY tells who
    has a mailbox. A bare newline is how mail is smuggled past a server. One address holds 20 of the 100 places at most;
    over IPv6, one network of 64 bits, as most visitors have a whole one (since Postfix 3.8; before, each of its addresses).
    https://www.postfix.org/SMTPD_ACCESS_README.html https://www.postfix.org/smtp-smuggling.html
    """
    wanted = settings("""
        mynetworks = 127.0.0.0/8 [::1]/128
        smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
        smtpd_recipient_restrictions = check_recipient_access inline:{double-bounce@=REJECT}
        smtpd_client_connection_count_limit = 20
        smtpd_client_ipv6_prefix_length = 64
        smtpd_helo_required = yes
        disable_vrfy_command = yes
        smtpd_forbid_bare_newline = normalize
        message_reject_characters = \\0
        header_size_limit = 1048576
        smtpd_data_restrictions = reject_unauth_pipelining
        """)
    postfix.main_cf(name="Set restrictions in main.cf", settings=wanted)


@step("Chapter 1: strangers", needs="postfix.install")
def strangers() -> None:
    """What port 25 has taken is never answered by letter: anybody can write anybody's name on the back of an envelope, and
    a bounce or a delivery report would go to him. The postmaster is told instead, with the letter's header.

    The commands' filter is postconf(5)'s own example of a sink, made proof against quotation marks. People who have logged in
    get their bounces and reports as ever. What is taken is handed on as it came. https://www.postfix.org/BACKSCATTER_README.html
    https://www.postfix.org/postconf.5.html#smtpd_command_filter
    """
    text = filled(Path("postfix/port25.regexp"))
    files.put(name="What a stranger's RCPT means", dest="/etc/postfix/port25.regexp", text=text)
    # A bare newline is not repaired, and no header field is dropped but Return-Path, which RFC 5321 (4.4) wants to be the last host's.
    columns = f"cleanup-strangers unix n - {platform().chroot} - 0 cleanup"
    options = settings("message_drop_headers=return-path")
    postfix.master_cf(name="A cleanup of their own", service="cleanup-strangers/unix", entry=columns)
    postfix.overrides(name="Its options", service="cleanup-strangers/unix", settings=options)
    strangers = settings("""
        smtpd_command_filter=regexp:/etc/postfix/port25.regexp
        smtpd_forbid_bare_newline=reject
        cleanup_service_name=cleanup-strangers
        notify_classes=resource,software
        """)
    postfix.overrides(name="Port 25 is for strangers", service="smtp/inet", settings=strangers)
    # At the doors, in smtpd, "bounce" is another word: a note for each recipient that is refused, as many as a guesser likes to
    # cause. So each door has its own notify_classes, and this one is for what was taken.
    taken = settings("notify_classes = bounce, 2bounce, resource, software")
    postfix.main_cf(name="The postmaster hears of every bounce", settings=taken)


@step("Chapter 1: root's mail", needs="postfix.install")
def aliases() -> None:
    """/etc/aliases: what the machine writes to root reaches a person, by way of postmaster (RFC 5321, 4.5.1).

    So does what is for any other account of the machine and has no line there: nobody reads /var/mail. The world reaches three of
    these names; by default it would reach daemon@ and www-data@ too. https://www.postfix.org/postconf.5.html#local_recipient_maps
    """
    reached = settings("""
        local_recipient_maps = inline:{postmaster=ok, abuse=ok, root=ok}
        alias_maps = $alias_database, pipemap:{unix:passwd.byname, static:postmaster@{{ mail_domain }}}
        """)
    postfix.main_cf(name="Whom the host's own names reach", settings=reached)
    known = data()
    postfix.aliases(
        name="Root's mail goes to the postmaster",
        aliases={"postmaster": "root", "abuse": "root", "root": f"postmaster@{known.domains[0]}"},
    )


@step(
    "Chapter 1: restart",
    article="/etc/init.d/postfix restart",
    today="systemctl restart postfix",
    now="postconf mail_version",
    needs="postfix.install",
)
def restart() -> None:
    """Postfix runs with these files, and is started again when it dies: the unit of its package stays dead.

    What is put off is asked again in seconds at first. https://www.postfix.org/TUNING_README.html
    """
    # A local hop that was away for a second is asked again in seconds, not in 5 minutes. Other people's servers are not hammered:
    # the wait grows with the letter's age, 5 s, 10 s, 20 s, …, from some 5 minutes on as before, up to maximal_backoff_time.
    retries = settings("""
        minimal_backoff_time = 5s
        queue_run_delay = 3s
        transport_retry_time = 5s
        service_throttle_time = 5s
        """)
    postfix.main_cf(name="How soon what is put off is tried again", settings=retries)
    # A reload may lose the word that wakes the queue manager: the old one takes it, and goes. Until the next letter comes nothing
    # leaves the queue then, for 5 minutes at most. An awakening without work costs nothing. pickup has the host's own mail.
    for service in ("qmgr", "pickup"):
        postfix.wakeup(name=f"How soon {service} is missed", service=f"{service}/unix", seconds=5)
    supervised("postfix")
    restart_changed()


def _service(service: str, port: int, wrapped: str) -> None:
    """A guesser has so many tries a minute from one address, right ones counted too, and loses his connection after five wrong
    ones. What a person's program leaves out, Postfix adds: Date, Message-ID, From, our domain behind a bare name.
    """
    columns = f"{service} inet n - {platform().chroot} - - smtpd"
    postfix.master_cf(name=f"Service {service} in master.cf", service=f"{service}/inet", entry=columns, port=port)
    wanted = {"syslog_name": f"postfix/{service}", "smtpd_tls_wrappermode": wrapped} | settings("""
        smtpd_tls_security_level=encrypt
        smtpd_relay_restrictions=permit_sasl_authenticated,reject
        smtpd_client_auth_rate_limit=60
        smtpd_soft_error_limit=3
        smtpd_hard_error_limit=10
        milter_macro_daemon_name=ORIGINATING
        local_header_rewrite_clients=permit_sasl_authenticated
        notify_classes=resource,software
        """)
    postfix.overrides(name=f"Overrides of {service}", service=f"{service}/inet", settings=wanted)


STEPS = (
    *(host_name, install, identity, submission, submissions, certificate, tls, restrictions, strangers, aliases),
    restart,
)
