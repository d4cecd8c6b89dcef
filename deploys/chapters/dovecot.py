"""Chapter 4: Dovecot, the friendly front desk.

Dovecot 2.4 speaks another configuration language than 2.3, and as printed the article's lines work on neither. Each step
holds both of today's texts beside the article's own; the operation picks by the Dovecot that is on the host.
https://doc.dovecot.org/latest/installation/upgrade/2.3-to-2.4.html
"""

from deploys.chapters import dovecot_texts as texts
from deploys.chapters import renewal_texts as renewal
from deploys.chapters import sender_texts as sender
from deploys.context import data, platform
from deploys.restart import restart_changed, supervised
from deploys.step import step
from deploys.texts import filled, settings
from operations import accounts, dovecot, files, firewall, packages, postfix, services
from operations import certificate as certificates


@step("Chapter 4: install Dovecot", article="$ yum install dovecot")
def install() -> None:
    """The distribution's Dovecot with IMAP and its PostgreSQL driver, which the article's package had inside."""
    packages.installed(name="Install Dovecot", names=platform().packages["dovecot"], managers=platform().managers)


@step("Chapter 4: protocols", article="$ protocols = imap", needs="dovecot")
def protocols() -> None:
    """IMAP only, no POP3. The `$ ` of the listing is a prompt, not a part of the line."""
    dovecot.block(name="Protocols", block="protocols", dialects=texts.PROTOCOLS)


@step("Chapter 4: greeting", article=texts.GREETING["2.3"], needs="dovecot")
def greeting() -> None:
    """base_dir, instance_name and login_greeting, copied from the comments of the file: all three are the defaults."""
    dovecot.block(name="Greeting", block="greeting", dialects=texts.GREETING)


@step(
    "Chapter 4: includes off",
    article=texts.INCLUDES,
    needs="dovecot",
)
def includes() -> None:
    """The two !include lines at the bottom are commented out: what counts stands in one file, for one reader.

    On 2.4 dovecot_config_version and dovecot_storage_version have to stay the first settings; the package put them there.
    """
    dovecot.includes_off(name="Switch off conf.d and local.conf")
    dovecot.block(name="Namespace", block="namespace", dialects=texts.NAMESPACE)


@step("Chapter 4: certificate and key", article=texts.CERTIFICATE_ARTICLE, needs="dovecot")
def certificate() -> None:
    """Dovecot shows the certificate of chapter 1. Only the key has to be secret; the article hides both.

    A daemon keeps what it has read: a timer compares what the ports show with the file, and lets both read it anew. Dovecot is
    restarted, not reloaded: the master of 2.4.1 dies of its second reload.
    https://www.freedesktop.org/software/systemd/man/latest/systemd.timer.html
    """
    if data().tls_self_signed:
        known = data()
        certificates.key_for_root(name="The key is for root only", key=known.tls_key)
    dovecot.block(name="Certificate and key", block="certificate", dialects=filled(texts.CERTIFICATE))
    files.directory(name="Programs of ours", path=renewal.PROGRAMS)
    text = filled(renewal.RENEWED)
    files.put(name="What looks for a renewed certificate", path=renewal.PROGRAM, text=text, mode="755")
    for kind, text in (("service", renewal.SERVICE), ("timer", renewal.TIMER)):
        files.put(name=f"Unit {renewal.UNIT}.{kind}", path=f"{renewal.UNITS}/{renewal.UNIT}.{kind}", text=text)
    services.running(
        name="Both daemons get a renewed certificate",
        unit=f"{renewal.UNIT}.timer",
        files=tuple(f"{renewal.UNITS}/{renewal.UNIT}.{kind}" for kind in ("service", "timer")),
    )


@step("Chapter 4: TLS", article="$ ssl = yes", needs="dovecot")
def tls() -> None:
    """TLS is required, not only offered, and no older than 1.2. https://doc.dovecot.org/latest/core/config/ssl.html

    Of TLS 1.2 only suites with forward secrecy that sign and encrypt in one (RFC 9325, 4.2): who records today and steals the
    key tomorrow reads nothing. Dovecot's own list still has CBC with SHA-1. 1.3 has nothing else.
    """
    dovecot.block(name="TLS", block="tls", dialects=texts.TLS)


@step(
    "Chapter 4: start",
    article="$ /etc/init.d/dovecot start",
    today="systemctl enable --now dovecot\nopenssl s_client -connect {{ mail_hostname }}:imaps",
    needs="dovecot",
)
def start() -> None:
    """Dovecot runs, and is started again when it dies; `openssl s_client` asks port 993.

    A printed certificate proves no trust: the check looks at the name.
    """
    supervised("dovecot")
    restart_changed()
    firewall.opened(name="The firewall lets in 143 and 993", services=("imap", "imaps"))


@step("Chapter 4: passdb and userdb", article=texts.PASSDB_ARTICLE, needs="dovecot")
def passdb() -> None:
    """Who may log in, and where the mail is. Prefetch saves a query at login, but answers nobody who does not log in:
    `doveadm user` and LMTP ask the second userdb. https://doc.dovecot.org/latest/core/config/auth/userdb.html#prefetch

    2.3 remembers its answers, for the time while PostgreSQL is away.
    """
    # the connection already here: a passdb without one would answer every login with an error until the next step
    dovecot.sql_conf(name="The database and its password", dialects=filled(texts.SQL))
    dovecot.block(name="passdb and userdb", block="passdb", dialects=filled(texts.PASSDB))


@step("Chapter 4: dovecot-sql.conf", article=texts.SQL_ARTICLE, needs="dovecot")
def sql() -> None:
    """The connection, in a file for root only: it holds the password. The article gives it no permissions."""
    dovecot.sql_conf(name="The database and its password", dialects=filled(texts.SQL))


@step("Chapter 4: the owner of the mail", article=texts.OWNER_ARTICLE, needs="dovecot")
def mail_owner() -> None:
    """With which uid and gid Dovecot reads mail; first_valid_uid lets in 200, below the default of 500 (2.3) or 1000."""
    dovecot.block(name="Owner of the mail", block="mail_owner", dialects=filled(texts.OWNER))


@step(
    "Chapter 4: hashing schemes",
    article="$ doveadm pw -l",
    today="doveadm pw -l    # ARGON2ID, SHA512-CRYPT, …",
    needs="dovecot",
)
def schemes() -> None:
    """This Dovecot has to know the scheme that we store. SHA512 is one unsalted pass, whatever -r says."""
    dovecot.knows_scheme(name=f"Dovecot knows {data().scheme}", scheme=data().scheme)


@step(
    "Chapter 4: passwords",
    article=texts.PASSWORD_ARTICLE,
    today="UPDATE users SET password = '{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$…' WHERE email = 'foo@example.test';",
    needs="dovecot",
)
def password() -> None:
    """The users' hashes, made on the controller: `doveadm pw -p` shows the password in the host's process list.

    What a user has changed since stays until the data says something else.
    """
    known = data()
    secrets = {email: known.secrets.accounts[email] for email in known.users}
    accounts.user_passwords(
        name="Hashed passwords", secrets=secrets, scheme=known.scheme, key=known.secrets.key, reader="mailreader"
    )


@step("Chapter 4: cleartext logins", article=texts.CLEARTEXT_ARTICLE, needs="dovecot")
def cleartext() -> None:
    """The password is sent plain, but only inside TLS. As printed, port 143 takes it from the open wire;
    STARTTLS never needed that. LOGIN is PLAIN in two lines: some Outlooks know nothing else.

    Who only connects and says nothing keeps nobody out, and a family behind one address has 50 sessions instead of 10. A wrong
    password costs 2 s; who goes on guessing from one address waits up to 17 s each time, and so does whoever else is there.
    https://doc.dovecot.org/latest/core/config/auth/penalty.html
    """
    dovecot.block(name="Cleartext logins", block="cleartext", dialects=texts.CLEARTEXT)


@step("Chapter 4: mailboxes", article=texts.MAILBOXES_ARTICLE, needs="dovecot")
def mailboxes() -> None:
    """Sent, Trash, Drafts and Junk are made and subscribed, each with the special use by which clients find it
    (RFC 6154). The autocreate plugin is gone since 2.1: as printed every login fails.
    """
    dovecot.block(name="Mailboxes", block="mailboxes", dialects=texts.MAILBOXES)


@step(
    "Chapter 4: Postfix asks Dovecot",
    article=texts.SASL_ARTICLE,
    needs="postfix",
)
def sasl() -> None:
    """master.cf: who submits logs in with Dovecot's help, and sends under his own address only: on the envelope, and in
    the From that people read.

    Two lines as printed attach to whatever service stands last, and let foo write as the boss. Postfix compares the
    envelope; the header is compared by a milter of ours, before the 250. https://www.postfix.org/MILTER_README.html
    """
    wanted = settings(texts.SASL)
    if platform().header_from:
        files.directory(name="Our programs", path=sender.PROGRAM.rpartition("/")[0])
        files.put(name="Who may write which From", path=sender.PROGRAM, text=sender.MILTER, mode="755")
        files.put(name="Its socket", path=sender.SOCKET, text=sender.SOCKET_UNIT)
        files.put(name="Its service", path=sender.SERVICE, text=sender.SERVICE_UNIT)
        services.running(
            name="Postfix can ask it",
            unit="mailroom-sender.socket",
            files=(sender.PROGRAM, sender.SOCKET, sender.SERVICE),
        )
        wanted |= settings(sender.HEADER)
    for service in ("submission", "submissions"):
        postfix.override(name=f"SASL for {service}", service=f"{service}/inet", settings=wanted)


@step("Chapter 4: the auth listener", article=texts.LISTENER_ARTICLE, needs="dovecot")
def listener() -> None:
    """Dovecot's SASL socket stands in Postfix's spool, for Postfix alone. And the process that looks up what strangers typed
    is not root, as it is by default for the sake of /etc/shadow. https://doc.dovecot.org/latest/core/config/service.html

    While PostgreSQL is away, Dovecot 2.4 answers Postfix too late rather than with what it would take for a wrong password.
    """
    dovecot.block(name="Auth listener", block="listener", dialects=texts.LISTENER)


@step(
    "Chapter 4: restart",
    article="Now restart both Postfix and Dovecot.",
    today="systemctl restart dovecot postfix",
    needs="dovecot",
)
def restart() -> None:
    """Both daemons run with these files: a client connects, sends, and the mail arrives."""
    restart_changed()


STEPS = (
    *(install, protocols, greeting, includes, tls, certificate, start, passdb, sql, mail_owner, schemes, password),
    *(cleartext, mailboxes, sasl, listener, restart),
)
