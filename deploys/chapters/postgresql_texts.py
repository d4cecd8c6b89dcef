"""The texts of chapter 2, as they stand on the host. {{ names }} come from the inventory's data."""

ACCESS = """host mail mailreader 127.0.0.1/32 scram-sha-256
host mail mailreader ::1/128 scram-sha-256"""
TABLES = {
    "users": "email text PRIMARY KEY CHECK (email = lower(email)), password text NOT NULL, realname text, "
    "maildir text NOT NULL CHECK (maildir LIKE '%/'), created timestamptz DEFAULT now()",
    "transports": "domain text PRIMARY KEY CHECK (domain = lower(domain)), transport text NOT NULL",
    "aliases": "alias text PRIMARY KEY CHECK (alias = lower(alias)), email text NOT NULL",
}
# `domain` keeps lookups for other people's addresses away from the database
# (https://www.postfix.org/pgsql_table.5.html); %d alone does the same for keys without a domain.
MAP = """# Made by mailroom, chapter 2. It holds a password: for root and Postfix only.
hosts = 127.0.0.1
dbname = mail
user = mailreader
password = {{ mailreader_password }}
"""
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
DELIVERY = """virtual_mailbox_domains = proxy:pgsql:/etc/postfix/pgsql/domains.cf
virtual_mailbox_base = {{ mail_home }}
virtual_mailbox_maps = proxy:pgsql:/etc/postfix/pgsql/mailboxes.cf
virtual_alias_maps = proxy:pgsql:/etc/postfix/pgsql/virtual.cf
transport_maps = proxy:pgsql:/etc/postfix/pgsql/transport.cf
virtual_uid_maps = static:{{ mail_uid }}
virtual_gid_maps = static:{{ mail_gid }}
virtual_minimum_uid = {{ mail_uid }}
smtpd_sender_login_maps = proxy:pgsql:/etc/postfix/pgsql/senders.cf
smtpd_sender_restrictions = permit_mynetworks, check_sender_access proxy:pgsql:/etc/postfix/pgsql/local-senders.cf"""
# The cleanup that is left for what the host itself writes: cron and other programs, forwarded mail, bounces and notices. Port 25
# and what Amavis gives back have others. No size limit: all of it was measured on its way in, by smtpd or postdrop.
LOCAL = """virtual_alias_maps=proxy:pgsql:/etc/postfix/pgsql/virtual.cf,pgsql:/etc/postfix/pgsql/local.cf
message_size_limit=0"""
