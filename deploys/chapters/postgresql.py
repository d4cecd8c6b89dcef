"""Chapter 2: PostgreSQL, the solid bookkeeper.

The article keeps domains, users and aliases in three tables, and tells Postfix to look there. Ours are the same tables;
what differs is who may write, how passwords are stored, and that the maps are files for root and Postfix only.
"""

from deploys.chapters import postgresql_texts as texts
from deploys.context import data, platform
from deploys.restart import files_of, restart_changed, supervised
from deploys.step import step
from deploys.texts import filled, settings
from operations import accounts as rows
from operations import files, packages, postfix, postgresql, selinux, services
from operations import mail_owner as owners


@step(
    "Chapter 2: install PostgreSQL",
    article="yum install postgresql92-server",
)
def install() -> None:
    """The distribution's PostgreSQL, and Postfix's driver for it; running, ready to answer, and started again when it dies."""
    here = platform()
    packages.installed(name="Install PostgreSQL", names=here.packages["postgresql"], managers=here.managers)
    postgresql.initialised(name="PostgreSQL has its data folder", data=here.postgresql_data)
    supervised("postgresql")
    services.running(
        name="PostgreSQL runs",
        unit=here.postgresql_unit,
        enable=here.postgresql_enable,
        port=5432,
        files=files_of("postgresql"),
    )


@step(
    "Chapter 2: who may connect",
    article="host mail mailreader 127.0.0.1/32 md5\nhost mail mailreader ::1/128 md5\nlocal all all md5",
    needs="postgresql",
)
def access() -> None:
    """pg_hba.conf: the reader comes over loopback with SCRAM; md5 can be replayed from a stolen hash.

    `local all all md5` would lock out `peer`, by which root administers the server; it stays as it was.
    https://www.postgresql.org/docs/current/auth-pg-hba-conf.html
    """
    postgresql.host_access(name="Lines of pg_hba.conf", lines=tuple(texts.ACCESS.splitlines()))


@step(
    "Chapter 2: a role that reads",
    article="CREATE USER mailreader WITH PASSWORD 'some-password';",
    today="CREATE ROLE mailreader LOGIN PASSWORD 'SCRAM-SHA-256$…';",
    needs="postgresql",
)
def role() -> None:
    """The role mailreader. In the article it owns the database and all tables, so the "reader" can write; ours can not."""
    password = data().secrets.services["mailreader"]
    postgresql.reading_role(name="Role mailreader", role="mailreader", password=password)


@step(
    "Chapter 2: the database",
    article="REVOKE CREATE ON SCHEMA public FROM PUBLIC;\nREVOKE USAGE ON SCHEMA public FROM PUBLIC;\n"
    "GRANT CREATE ON SCHEMA public TO postgres;\nGRANT USAGE ON SCHEMA public TO postgres;\n"
    "CREATE DATABASE mail WITH OWNER mailreader;",
    today="CREATE DATABASE mail OWNER postgres;\nREVOKE ALL ON DATABASE mail FROM PUBLIC;\n"
    "GRANT CONNECT ON DATABASE mail TO mailreader;\n-- and then, inside the database:\n"
    "REVOKE ALL ON SCHEMA public FROM PUBLIC;\nGRANT USAGE ON SCHEMA public TO mailreader;",
    needs="postgresql",
)
def database() -> None:
    """The database mail. The article revokes in the database it happens to be in, not in the new one."""
    postgresql.database(name="Database mail", database="mail", reader="mailreader")
    postgresql.schema_for_readers(name="Rights on its schema", database="mail", reader="mailreader")


@step(
    "Chapter 2: three tables",
    article="CREATE TABLE users (email text primary key, password text not null, realname text, maildir text not null,"
    " created timestamp with time zone default now());\n"
    "CREATE TABLE transports (domain text primary key, gid integer unique not null, transport text not null);\n"
    "CREATE TABLE aliases (alias text primary key, email text not null);\nALTER TABLE … OWNER TO mailreader;",
    needs="postgresql",
)
def tables() -> None:
    """users, transports, aliases. Without transports.gid: nothing reads it, and being unique it forbade a second domain.

    The checks keep addresses in lower case, as Dovecot asks for them, and the slash that selects the Maildir format.
    """
    postgresql.tables(name="Tables", database="mail", wanted=texts.TABLES, reader="mailreader")


@step(
    "Chapter 2: the owner of the mail",
    article="groupadd -g 1000 mail\nuseradd -g mail -u 200 -d /home/mail -s /sbin/nologin mailreader",
)
def mail_owner() -> None:
    """A Unix user for the files. Not named like the database role, and with a group of its own: `mail` exists already."""
    known = data()
    owners.exists(
        name=f"User and group {known.mail_owner}",
        user=known.mail_owner,
        uid=known.mail_uid,
        gid=known.mail_gid,
        home=known.mail_home,
    )
    files.directory(
        name="Directory of the mail", path=known.mail_home, mode="750", owner=f"{known.mail_owner}:{known.mail_owner}"
    )
    selinux.labelled(name="SELinux takes it for mail", path=known.mail_home, type="mail_spool_t")


@step(
    "Chapter 2: the rows",
    article="INSERT INTO users (email, password, realname, maildir) VALUES ('foo@yourdomain.com', md5('…'), 'Foo Lastname', 'foo/');\n"
    "INSERT INTO transports (domain, gid, transport) VALUES ('example.com', 1000, 'virtual:');\n"
    "INSERT INTO aliases (alias, email) VALUES ('bar@example.com', 'foo@example.com');",
    today="INSERT INTO users … VALUES ('foo@example.test', '{CRYPT}*', 'Foo Lastname', 'example.test/foo/');\n"
    "INSERT INTO transports … VALUES ('example.test', 'virtual:');\n"
    "INSERT INTO aliases … VALUES ('postmaster@example.test', 'foo@example.test');",
    needs="postgresql",
)
def accounts() -> None:
    """Domains, mailboxes and aliases from the inventory. New mailboxes are locked ({CRYPT}*) until chapter 4 sets passwords.

    The maildir names the domain, so that foo may exist in two of them.
    """
    known = data()
    rows.domains(name="Rows of transports", names=known.domains, transport="virtual:", prune=known.prune_accounts)
    rows.mailboxes(name="Rows of users", users=known.users, prune=known.prune_accounts)
    rows.aliases(name="Rows of aliases", wanted=known.aliases, mailboxes=tuple(known.users), prune=known.prune_accounts)


@step(
    "Chapter 2: Postfix's maps",
    article="user = mailreader\npassword = …\ndbname = mail\ntable = users\nselect_field = maildir\nwhere_field = email\nhosts = localhost",
    needs="postgresql",
)
def maps() -> None:
    """/etc/postfix/pgsql/*.cf: one question each, as SQL. The article's form (table, select_field) has been obsolete since
    Postfix 2.2, and its files, which hold a password, may be read by everybody. https://www.postfix.org/pgsql_table.5.html
    """
    files.directory(name="Directory of the maps", path="/etc/postfix/pgsql", mode="750", owner="root:postfix")
    for name, query in texts.QUERIES.items():
        postfix.lookups(name=f"Map {name}", path=f"/etc/postfix/pgsql/{name}.cf", text=filled(texts.MAP + query))


@step(
    "Chapter 2: Postfix asks the bookkeeper",
    article="local_recipient_maps =\nvirtual_uid_maps = static:200\nvirtual_gid_maps = static:1000\n"
    "virtual_mailbox_base = /home/mail\nvirtual_mailbox_maps = pgsql:/etc/postfix/pgsql/mailboxes.cf\n"
    "transport_maps = pgsql:/etc/postfix/pgsql/transport.cf\nvirtual_maps = pgsql:/etc/postfix/pgsql/virtual.cf\n"
    "mydestination = $mydomain, $myhostname",
    needs="postgresql",
)
def delivery() -> None:
    """main.cf: domains, mailboxes and aliases come from the database, through proxymap, which shares few connections.

    Not as printed: an empty local_recipient_maps takes mail for any local name and bounces it to a forged sender later;
    virtual_maps has been virtual_alias_maps since 2.0; and a stranger on port 25 may not say that he is one of us.
    https://www.postfix.org/VIRTUAL_README.html https://www.postfix.org/proxymap.8.html
    """
    postfix.main_cf(name="Set lookups in main.cf", settings=settings(texts.DELIVERY))
    postfix.override(name="Mail of the host itself", service="cleanup/unix", settings=settings(texts.LOCAL))


@step(
    "Chapter 2: restart",
    article="/etc/init.d/postfix restart",
    today="systemctl restart postfix",
    needs="postgresql",
)
def restart() -> None:
    """Postfix makes cur, new and tmp at the first delivery."""
    restart_changed()


STEPS = (install, access, role, database, tables, mail_owner, accounts, maps, delivery, restart)
