"""Where: a server of your own. Copy this file, change every value marked CHANGE, then

    MAILROOM_INVENTORY=inventories/production.py .venv/bin/pyinfra inventory.py --dry deploys/dovecot.py
    MAILROOM_INVENTORY=inventories/production.py .venv/bin/pyinfra inventory.py deploys/dovecot.py

The server: a fresh Debian 13 or 12, or one of the Red Hat family (docs/platforms.md), reached over SSH with a key as root,
with a name of its own in DNS that its address leads back to. This file holds no secret: secrets are in the two files named
below, which stay out of git. docs/your-own-server.md has every command.
"""

from typing import Any

mail: list[tuple[str, dict[str, Any]]] = [
    (
        "mail.example.org",  # CHANGE: a name for the host, its DNS name for instance
        {
            "ssh_hostname": "192.0.2.25",  # CHANGE: where ssh finds it, a name or an address
            "ssh_port": 22,
            "ssh_user": "root",
            "ssh_key": "~/.ssh/id_ed25519",  # CHANGE: the private key that may log in there
            # Log in once with ssh and compare the fingerprint; pyinfra then trusts no other key.
            "ssh_strict_host_key_checking": "yes",
            # CHANGE: the name that the server greets with and its certificate carries
            "mail_hostname": "mail.example.org",
            # CHANGE: the domains whose mail comes here, and who has a mailbox; the knobs and their
            # defaults are in docs/knobs.md
            "mail_domains": ["example.org"],
            "mail_users": [{"email": "foo@example.org", "name": "Foo Lastname"}],
            "mail_aliases": {"hello@example.org": ["foo@example.org"]},
            # CHANGE: {"foo@example.org": "password", …}; chmod 600
            "accounts_file": "secrets/accounts.json",
            # CHANGE: {"mailreader": "password of the database role"}; chmod 600
            "secrets_file": "secrets/secrets.json",
            # Where your provider blocks port 25 (docs/your-own-server.md): its relay, and "relayhost": "the password there" in secrets_file
            # "relayhost": "smtp.provider.example:587",
            # "relayhost_user": "me@example.org",
        },
    ),
]
