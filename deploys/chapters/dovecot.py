"""Chapter 4: Dovecot, the friendly front desk.

Dovecot 2.4 speaks another configuration language than 2.3, and as printed the article's lines work on neither. Each step
holds both of today's texts beside the article's own, a long one in a file of templates/dovecot; the operation picks by the Dovecot
that is on the host.
https://doc.dovecot.org/latest/installation/upgrade/2.3-to-2.4.html
"""

from pathlib import Path

from deploys.context import data, platform
from deploys.paths import PROGRAMS, UNITS
from deploys.restart import restart_changed, supervised
from deploys.step import step
from deploys.texts import dialects, filled, settings
from operations import accounts, dovecot, files, firewall, packages, postfix, services


@step("Chapter 4: install Dovecot", article="$ yum install dovecot")
def install() -> None:
    """The distribution's Dovecot with IMAP and its PostgreSQL driver, which the article's package had inside."""
    packages.packages(name="Install Dovecot", packages=platform().packages["dovecot"], managers=platform().managers)


@step("Chapter 4: protocols", article="$ protocols = imap", needs="dovecot.install")
def protocols() -> None:
    """IMAP only, no POP3. The `$ ` of the listing is a prompt, not a part of the line."""
    dovecot.block(name="Protocols", block="protocols", dialects=dialects("protocols = imap"))


GREETING = "base_dir = /run/dovecot\ninstance_name = dovecot\nlogin_greeting = Dovecot ready."


@step("Chapter 4: greeting", article=GREETING, needs="dovecot.install")
def greeting() -> None:
    """base_dir, instance_name and login_greeting, copied from the comments of the file: all three are the defaults."""
    dovecot.block(name="Greeting", block="greeting", dialects=dialects(GREETING))


@step("Chapter 4: includes off", article="#!include conf.d/*.conf\n#!include_try local.conf", needs="dovecot.install")
def includes() -> None:
    """The two !include lines at the bottom are commented out: what counts stands in one file, for one reader.

    On 2.4 dovecot_config_version and dovecot_storage_version have to stay the first settings; the package put them there.
    """
    dovecot.includes(name="Switch off conf.d and local.conf", enabled=False)
    text = "namespace inbox {\n  inbox = yes\n}"
    dovecot.block(name="Namespace", block="namespace", dialects=dialects(text))


@step(
    "Chapter 4: certificate and key",
    article="$ ssl_cert = </etc/pki/dovecot/certs/dovecot.pem\n  ssl_key = </etc/pki/dovecot/private/dovecot.pem",
    needs="dovecot.install postfix.certificate",
)
def certificate() -> None:
    """Dovecot shows the certificate of chapter 1. Only the key has to be secret; the article hides both.

    A daemon keeps what it has read: a timer compares what the ports show with the file, and lets both read it anew. Open sessions
    stay, as shutdown_clients says. Only a Dovecot 2.4 that was reloaded before is restarted: the master of 2.4.1 dies of a second one.
    https://doc.dovecot.org/latest/core/summaries/settings.html#shutdown_clients
    https://www.freedesktop.org/software/systemd/man/latest/systemd.timer.html
    """
    if data().tls_self_signed:
        files.file(name="The key is for root only", path=data().tls_key, mode="600")
    text = """
        {% if dovecot == "2.3" %}
        ssl_cert = <{{ tls_certificate }}
        ssl_key = <{{ tls_key }}
        {% else %}
        ssl_server_cert_file = {{ tls_certificate }}
        ssl_server_key_file = {{ tls_key }}
        {% endif %}
        shutdown_clients = no
        """
    dovecot.block(name="Certificate and key", block="certificate", dialects=dialects(text))
    files.directory(name="Programs of ours", path=PROGRAMS)
    text = filled(Path("dovecot/certificate.sh"))
    files.put(name="What looks for a renewed certificate", dest=f"{PROGRAMS}/certificate", text=text, mode="755")
    units = ("mailroom-certificate.service", "mailroom-certificate.timer")
    for unit in units:
        files.put(name=f"Unit {unit}", dest=f"{UNITS}/{unit}", text=filled(Path("dovecot", unit)))
    paths = tuple(f"{UNITS}/{unit}" for unit in units)
    services.service(name="Both daemons get a renewed certificate", service=units[-1], files=paths)


@step("Chapter 4: TLS", article="$ ssl = yes", needs="dovecot.install")
def tls() -> None:
    """TLS is required, not only offered, and no older than 1.2. https://doc.dovecot.org/latest/core/config/ssl.html

    Of TLS 1.2 only suites with forward secrecy that sign and encrypt in one (RFC 9325, 4.2): who records today and steals the
    key tomorrow reads nothing. Dovecot's own list still has CBC with SHA-1. 1.3 has nothing else.
    """
    text = """
        ssl = required
        ssl_min_protocol = TLSv1.2
        ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20
        {{ "ssl_prefer_server_ciphers = yes" if dovecot == "2.3" else "ssl_server_prefer_ciphers = server" }}
        """
    dovecot.block(name="TLS", block="tls", dialects=dialects(text))


@step(
    "Chapter 4: start",
    article="$ /etc/init.d/dovecot start",
    today="systemctl enable --now dovecot\nopenssl s_client -connect {{ mail_hostname }}:imaps",
    now="dovecot --version",
    needs="dovecot.install",
)
def start() -> None:
    """Dovecot runs, and is started again when it dies; `openssl s_client` asks port 993.

    A printed certificate proves no trust: the check looks at the name.
    """
    supervised("dovecot")
    restart_changed()
    firewall.services(name="The firewall lets in 143 and 993", services=("imap", "imaps"))


@step(
    "Chapter 4: passdb and userdb",
    article=Path("dovecot/passdb.conf"),
    needs="dovecot.includes postgresql.access postgresql.accounts",
)
def passdb() -> None:
    """Who may log in, and where the mail is. Prefetch saves a query at login, but answers nobody who does not log in:
    `doveadm user` and LMTP ask the second userdb. https://doc.dovecot.org/latest/core/config/auth/userdb.html#prefetch

    2.3 remembers its answers, for the time while PostgreSQL is away.
    """
    # the connection already here: a passdb without one would answer every login with an error until the next step
    dovecot.sql_conf(name="The database and its password", dialects=dialects(Path("dovecot/dovecot-sql.conf")))
    dovecot.block(name="passdb and userdb", block="passdb", dialects=dialects(Path("dovecot/passdb.conf")))


@step("Chapter 4: dovecot-sql.conf", article=Path("dovecot/dovecot-sql.conf"), needs="dovecot.install postgresql.role")
def sql() -> None:
    """The connection, in a file for root only: it holds the password. The article gives it no permissions."""
    dovecot.sql_conf(name="The database and its password", dialects=dialects(Path("dovecot/dovecot-sql.conf")))


@step(
    "Chapter 4: the owner of the mail",
    article="mail_uid = the-uid-of-your-mailreader-user\nmail_gid = the-gid-of-your-mailreader-user\nfirst_valid_uid = 200",
    needs="dovecot.install postgresql.mail_owner",
)
def mail_owner() -> None:
    """With which uid and gid Dovecot reads mail; first_valid_uid lets in 200, below the default of 500 (2.3) or 1000."""
    text = """
        first_valid_uid = {{ mail_uid }}
        first_valid_gid = {{ mail_gid }}
        mail_uid = {{ mail_uid }}
        mail_gid = {{ mail_gid }}
        """
    dovecot.block(name="Owner of the mail", block="mail_owner", dialects=dialects(text))


@step(
    "Chapter 4: hashing schemes",
    article="$ doveadm pw -l",
    today="doveadm pw -l    # ARGON2ID, SHA512-CRYPT, …",
    needs="dovecot.install",
)
def schemes() -> None:
    """This Dovecot has to know the scheme that we store. SHA512 is one unsalted pass, whatever -r says."""
    dovecot.scheme(name=f"Dovecot knows {data().scheme}", scheme=data().scheme)


@step(
    "Chapter 4: passwords",
    article="$ doveadm pw -p plain_text_password -s sha512 -r 100\n"
    "$ UPDATE users SET password = 'your-hashed-string\" WHERE email = 'foo@domain.com\";",
    today="UPDATE users SET password = '{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$…' WHERE email = 'foo@example.test';",
    needs="dovecot.install postgresql.accounts",
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


@step(
    "Chapter 4: cleartext logins",
    article="$ disable_plaintext_auth = no\n  auth_mechanisms = plain",
    needs="dovecot.install",
)
def cleartext() -> None:
    """The password is sent plain, but only inside TLS. As printed, port 143 takes it from the open wire;
    STARTTLS never needed that. LOGIN is PLAIN in two lines: some Outlooks know nothing else.

    Who only connects and says nothing keeps nobody out, and a family behind one address has 50 sessions instead of 10. A wrong
    password costs 2 s; who goes on guessing from one address waits up to 17 s each time, and so does whoever else is there.
    https://doc.dovecot.org/latest/core/config/auth/penalty.html
    """
    dovecot.block(name="Cleartext logins", block="cleartext", dialects=dialects(Path("dovecot/cleartext.conf")))


@step("Chapter 4: mailboxes", article=Path("dovecot/mailboxes.conf"), needs="dovecot.install")
def mailboxes() -> None:
    """Sent, Trash, Drafts and Junk are made and subscribed, each with the special use by which clients find it
    (RFC 6154). The autocreate plugin is gone since 2.1: as printed every login fails.
    """
    dovecot.block(name="Mailboxes", block="mailboxes", dialects=dialects(Path("dovecot/mailboxes.conf")))


@step(
    "Chapter 4: Postfix asks Dovecot",
    article="$  -o smtpd_sasl_type=dovecot\n   -o smtpd_sasl_path=private/auth",
    needs="postfix.submission postfix.submissions postgresql.delivery",
)
def sasl() -> None:
    """master.cf: who submits logs in with Dovecot's help, and sends under his own address only: on the envelope, and in
    the From that people read.

    Two lines as printed attach to whatever service stands last, and let foo write as the boss. Postfix compares the
    envelope; the header is compared by a milter of ours, before the 250. https://www.postfix.org/MILTER_README.html
    """
    wanted = settings("""
        smtpd_sasl_auth_enable=yes
        smtpd_sasl_type=dovecot
        smtpd_sasl_path=private/auth
        smtpd_sender_restrictions=reject_sender_login_mismatch
        """)
    if platform().header_from:
        program, unit = f"{PROGRAMS}/sender", "mailroom-sender.socket"
        paths = (program, f"{UNITS}/{unit}", f"{UNITS}/mailroom-sender.service")
        files.directory(name="Our programs", path=PROGRAMS)
        files.put(name="Who may write which From", dest=program, text=filled(Path("dovecot/sender.pl")), mode="755")
        files.put(name="Its socket", dest=paths[1], text=filled(Path("dovecot/mailroom-sender.socket")))
        files.put(name="Its service", dest=paths[2], text=filled(Path("dovecot/mailroom-sender.service")))
        services.service(name="Postfix can ask it", service=unit, files=paths)
        # who is asked, and what is answered while it cannot be: "later", not "yes"
        wanted |= settings("""
            smtpd_milters=unix:private/mailroom-sender
            milter_default_action=tempfail
            """)
    for service in ("submission", "submissions"):
        postfix.overrides(name=f"SASL for {service}", service=f"{service}/inet", settings=wanted)


@step("Chapter 4: the auth listener", article=Path("dovecot/listener.conf"), needs="dovecot.install postfix.install")
def listener() -> None:
    """Dovecot's SASL socket stands in Postfix's spool, for Postfix alone. And the process that looks up what strangers typed
    is not root, as it is by default for the sake of /etc/shadow. https://doc.dovecot.org/latest/core/config/service.html

    While PostgreSQL is away, Dovecot 2.4 answers Postfix too late rather than with what it would take for a wrong password.
    """
    dovecot.block(name="Auth listener", block="listener", dialects=dialects(Path("dovecot/listener.conf")))


@step(
    "Chapter 4: restart",
    article="Now restart both Postfix and Dovecot.",
    today="systemctl restart dovecot postfix",
    now="ls -l /var/spool/postfix/private/auth",
    needs="dovecot.install",
)
def restart() -> None:
    """Both daemons run with these files: a client connects, sends, and the mail arrives."""
    restart_changed()


@step(
    "Chapter 4: the mail client",
    article="Setup your client to connect via IMAP on port 143 (open up this port in your firewall if needed).\n"
    "Set to connect via STARTTLS.\n"
    "And also remember to input your full email address as your username.\n"
    "Setup TLS for the sending server, PLAIN authentication with your full email as your username.",
    today="IMAP, {{ mail_hostname }}, port 993, TLS from the first byte (or port 143, STARTTLS)\n"
    "SMTP, {{ mail_hostname }}, port 465, TLS from the first byte (or port 587, STARTTLS)\n"
    "user name: the whole address; password: normal (PLAIN), inside of TLS only\n"
    "python -m postmaster card",
    now="openssl x509 -in {{ tls_certificate }} -noout -issuer -fingerprint -sha256; ports=shown",
    needs="dovecot.certificate dovecot.password dovecot.listener",
)
def client() -> None:
    """Nothing is left to do on the host: people put the settings into their mail clients, and compare the fingerprint first.

    TLS from the first byte is preferred: nobody on the way can take STARTTLS out of what was never said in the clear.
    https://www.rfc-editor.org/rfc/rfc8314#section-3
    """


STEPS = (
    *(install, protocols, greeting, includes, tls, certificate, start, passdb, sql, mail_owner, schemes, password),
    *(cleartext, mailboxes, sasl, listener, restart, client),
)
