"""Chapter 2: PostgreSQL, the solid bookkeeper.

The article keeps domains, users and aliases in three tables, and tells Postfix to look there. Ours are the same tables;
what differs is who may write, how passwords are stored, and that the maps are files for root and Postfix only.
"""

from deploys.context import data, platform
from deploys.restart import files_of, restart_changed, supervised
from deploys.step import step
from deploys.texts import filled, settings
from operations import accounts as rows
from operations import files, packages, postfix, postgresql, selinux, services, users


@step("Chapter 2: install PostgreSQL", article="yum install postgresql92-server")
def install() -> None:
    """The distribution's PostgreSQL, and Postfix's driver for it; running, ready to answer, and started again when it dies."""
    here = platform()
    packages.packages(name="Install PostgreSQL", packages=here.packages["postgresql"], managers=here.managers)
    postgresql.cluster(name="PostgreSQL has its data folder", data=here.postgresql_data)
    supervised("postgresql")
    services.service(
        name="PostgreSQL runs",
        service=here.postgresql_unit,
        enabled_by=here.postgresql_enable,
        port=5432,
        files=files_of("postgresql"),
    )


@step(
    "Chapter 2: who may connect",
    article="host mail mailreader 127.0.0.1/32 md5\nhost mail mailreader ::1/128 md5\nlocal all all md5",
    needs="postgresql.install",
)
def access() -> None:
    """pg_hba.conf: the reader comes over loopback with SCRAM; md5 can be replayed from a stolen hash.

    `local all all md5` would lock out `peer`, by which root administers the server; it stays as it was.
    https://www.postgresql.org/docs/current/auth-pg-hba-conf.html
    """
    lines = tuple(f"host mail mailreader {address} scram-sha-256" for address in ("127.0.0.1/32", "::1/128"))
    postgresql.hba(name="Lines of pg_hba.conf", lines=lines)


@step(
    "Chapter 2: a role that reads",
    article="CREATE USER mailreader WITH PASSWORD 'some-password';",
    today="CREATE ROLE mailreader LOGIN PASSWORD 'SCRAM-SHA-256$…';",
    needs="postgresql.install",
)
def role() -> None:
    """The role mailreader. In the article it owns the database and all tables, so the "reader" can write; ours can not."""
    password = data().secrets.services["mailreader"]
    postgresql.role(name="Role mailreader", role="mailreader", password=password)


@step(
    "Chapter 2: the database",
    article="REVOKE CREATE ON SCHEMA public FROM PUBLIC;\nREVOKE USAGE ON SCHEMA public FROM PUBLIC;\n"
    "GRANT CREATE ON SCHEMA public TO postgres;\nGRANT USAGE ON SCHEMA public TO postgres;\n"
    "CREATE DATABASE mail WITH OWNER mailreader;",
    today="CREATE DATABASE mail OWNER postgres;\nREVOKE ALL ON DATABASE mail FROM PUBLIC;\n"
    "GRANT CONNECT ON DATABASE mail TO mailreader;\n-- and then, inside the database:\n"
    "REVOKE ALL ON SCHEMA public FROM PUBLIC;\nGRANT USAGE ON SCHEMA public TO mailreader;",
    needs="postgresql.role",
)
def database() -> None:
    """The database mail. The article revokes in the database it happens to be in, not in the new one."""
    postgresql.database(name="Database mail", database="mail", reader="mailreader")


@step(
    "Chapter 2: three tables",
    article="CREATE TABLE users (email text primary key, password text not null, realname text, maildir text not null,"
    " created timestamp with time zone default now());\n"
    "CREATE TABLE transports (domain text primary key, gid integer unique not null, transport text not null);\n"
    "CREATE TABLE aliases (alias text primary key, email text not null);\nALTER TABLE … OWNER TO mailreader;",
    needs="postgresql.database",
)
def tables() -> None:
    """users, transports, aliases. Without transports.gid: nothing reads it, and being unique it forbade a second domain.

    The checks keep addresses in lower case, as Dovecot asks for them, and the slash that selects the Maildir format.
    """
    wanted = {
        "users": "email text PRIMARY KEY CHECK (email = lower(email)), password text NOT NULL, realname text, "
        "maildir text NOT NULL CHECK (maildir LIKE '%/'), created timestamptz DEFAULT now()",
        "transports": "domain text PRIMARY KEY CHECK (domain = lower(domain)), transport text NOT NULL",
        "aliases": "alias text PRIMARY KEY CHECK (alias = lower(alias)), email text NOT NULL",
    }
    postgresql.tables(name="Tables", database="mail", tables=wanted, reader="mailreader")


@step(
    "Chapter 2: the owner of the mail",
    article="groupadd -g 1000 mail\nuseradd -g mail -u 200 -d /home/mail -s /sbin/nologin mailreader",
)
def mail_owner() -> None:
    """A Unix user for the files. Not named like the database role, and with a group of its own: `mail` exists already."""
    known = data()
    users.user(
        name=f"User and group {known.mail_owner}",
        user=known.mail_owner,
        uid=known.mail_uid,
        gid=known.mail_gid,
        home=known.mail_home,
    )
    files.directory(
        name="Directory of the mail", path=known.mail_home, user=known.mail_owner, group=known.mail_owner, mode="750"
    )
    selinux.file_context(name="SELinux takes it for mail", path=known.mail_home, se_type="mail_spool_t")


@step(
    "Chapter 2: the rows",
    article="INSERT INTO users (email, password, realname, maildir) VALUES ('foo@yourdomain.com', md5('…'), 'Foo Lastname', 'foo/');\n"
    "INSERT INTO transports (domain, gid, transport) VALUES ('example.com', 1000, 'virtual:');\n"
    "INSERT INTO aliases (alias, email) VALUES ('bar@example.com', 'foo@example.com');",
    today="INSERT INTO users … VALUES ('foo@example.test', '{CRYPT}*', 'Foo Lastname', 'example.test/foo/');\n"
    "INSERT INTO transports … VALUES ('example.test', 'virtual:');\n"
    "INSERT INTO aliases … VALUES ('postmaster@example.test', 'foo@example.test');",
    needs="postgresql.tables",
)
def accounts() -> None:
    """Domains, mailboxes and aliases from the inventory. New mailboxes are locked ({CRYPT}*) until chapter 4 sets passwords.

    The maildir names the domain, so that foo may exist in two of them.
    """
    known = data()
    rows.transports(name="Rows of transports", domains=known.domains, transport="virtual:", prune=known.prune_accounts)
    rows.mailboxes(name="Rows of users", users=known.users, prune=known.prune_accounts)
    rows.aliases(
        name="Rows of aliases", aliases=known.aliases, mailboxes=tuple(known.users), prune=known.prune_accounts
    )


MAP = """
    # Made by mailroom, chapter 2. It holds a password: for root and Postfix only.
    hosts = 127.0.0.1
    dbname = mail
    user = mailreader
    password = {{ mailreader_password }}
    """
# Keeps lookups for other people's addresses away from the database (https://www.postfix.org/pgsql_table.5.html); %d alone does
# the same for keys without a domain.
OURS = "domain = {{ mail_domain_list }}\n"
QUERIES = {
    "domains": "query = SELECT domain FROM transports WHERE domain = '%s'",
    "mailboxes": OURS + "query = SELECT maildir FROM users WHERE email = '%s'",
    "virtual": OURS + "query = SELECT email FROM aliases WHERE alias = '%s'",
    "transport": OURS + "query = SELECT transport FROM transports WHERE domain = '%d'",
    # who gets an address's mail may write as it: the mailbox, or all whom an alias leads to, by way of other aliases too
    "senders": OURS + "query = WITH RECURSIVE led (email) AS (SELECT '%s' UNION SELECT target FROM led "
    "JOIN aliases ON alias = led.email CROSS JOIN regexp_split_to_table(aliases.email, '[ ,]+') AS target) "
    "SELECT email FROM users JOIN led USING (email)",
    "local-senders": "query = SELECT '553 5.7.1 log in to send as this domain' WHERE '%s' IN ({{ own_names }}) "
    "OR EXISTS (SELECT FROM transports WHERE domain = '%s')",
    # Mail of the host's own programs to a name that no mailbox and no alias has, root's cron job as www-data for instance: the
    # account of that name on the host is meant, and chapter 1 knows who reads its mail.
    "local": OURS + "query = SELECT '%u@{{ mail_hostname }}' WHERE NOT EXISTS (SELECT FROM users WHERE email IN "
    "('%s', split_part('%u', '+', 1) || '@%d')) AND NOT EXISTS (SELECT FROM aliases WHERE alias IN "
    "('%s', split_part('%u', '+', 1) || '@%d'))",
}


@step(
    "Chapter 2: Postfix's maps",
    article="user = mailreader\npassword = …\ndbname = mail\ntable = users\nselect_field = maildir\nwhere_field = email\nhosts = localhost",
    needs="postfix.install postgresql.install",
)
def maps() -> None:
    """/etc/postfix/pgsql/*.cf: one question each, as SQL. The article's form (table, select_field) has been obsolete since
    Postfix 2.2, and its files, which hold a password, may be read by everybody. https://www.postfix.org/pgsql_table.5.html
    """
    files.directory(name="Directory of the maps", path="/etc/postfix/pgsql", mode="750", group="postfix")
    for name, query in QUERIES.items():
        text = f"{filled(MAP)}\n{filled(query)}"
        postfix.table(name=f"Map {name}", dest=f"/etc/postfix/pgsql/{name}.cf", text=text)


@step(
    "Chapter 2: Postfix asks the bookkeeper",
    article="local_recipient_maps =\nvirtual_uid_maps = static:200\nvirtual_gid_maps = static:1000\n"
    "virtual_mailbox_base = /home/mail\nvirtual_mailbox_maps = pgsql:/etc/postfix/pgsql/mailboxes.cf\n"
    "transport_maps = pgsql:/etc/postfix/pgsql/transport.cf\nvirtual_maps = pgsql:/etc/postfix/pgsql/virtual.cf\n"
    "mydestination = $mydomain, $myhostname",
    needs="postgresql.access postgresql.maps postgresql.accounts postgresql.mail_owner",
)
def delivery() -> None:
    """main.cf: domains, mailboxes and aliases come from the database, through proxymap, which shares few connections.

    Not as printed: an empty local_recipient_maps takes mail for any local name and bounces it to a forged sender later;
    virtual_maps has been virtual_alias_maps since 2.0; and a stranger on port 25 may not say that he is one of us.
    https://www.postfix.org/VIRTUAL_README.html https://www.postfix.org/proxymap.8.html
    """
    lookups = settings("""
        virtual_mailbox_domains = proxy:pgsql:/etc/postfix/pgsql/domains.cf
        virtual_mailbox_base = {{ mail_home }}
        virtual_mailbox_maps = proxy:pgsql:/etc/postfix/pgsql/mailboxes.cf
        virtual_alias_maps = proxy:pgsql:/etc/postfix/pgsql/virtual.cf
        transport_maps = proxy:pgsql:/etc/postfix/pgsql/transport.cf
        virtual_uid_maps = static:{{ mail_uid }}
        virtual_gid_maps = static:{{ mail_gid }}
        virtual_minimum_uid = {{ mail_uid }}
        smtpd_sender_login_maps = proxy:pgsql:/etc/postfix/pgsql/senders.cf
        smtpd_sender_restrictions = permit_mynetworks, check_sender_access proxy:pgsql:/etc/postfix/pgsql/local-senders.cf
        """)
    postfix.main_cf(name="Set lookups in main.cf", settings=lookups)
    # The cleanup that is left for what the host itself writes: cron and other programs, forwarded mail, bounces and notices. Port
    # 25 and what Amavis gives back have others. No size limit: all of it was measured on its way in, by smtpd or postdrop.
    own = settings("""
        virtual_alias_maps=proxy:pgsql:/etc/postfix/pgsql/virtual.cf,pgsql:/etc/postfix/pgsql/local.cf
        message_size_limit=0
        """)
    postfix.overrides(name="Mail of the host itself", service="cleanup/unix", settings=own)


@step(
    "Chapter 2: restart",
    article="/etc/init.d/postfix restart",
    today="systemctl restart postfix",
    now="ls {{ mail_home }}",
    needs="postgresql.delivery",
)
def restart() -> None:
    """Postfix makes cur, new and tmp at the first delivery."""
    restart_changed()


STEPS = (install, access, role, database, tables, mail_owner, accounts, maps, delivery, restart)
