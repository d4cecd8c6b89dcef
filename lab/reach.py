"""How pyinfra reaches a lab host, and what a deploy has to know about it."""

from __future__ import annotations

from typing import Any

from lab import state

# The only signature a lab needs, as a line of ClamAV's .hdb files: MD5, size and name. It is the EICAR test file's.
# https://docs.clamav.net/manual/Signatures/HashSignatures.html
EICAR = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature"


def inventory_data(host: state.Record) -> dict[str, Any]:
    """Host data for an inventory; paths are absolute, secrets only named by their file."""
    return {
        "ssh_hostname": "127.0.0.1",
        "ssh_port": host["ssh_port"],
        "ssh_user": "root",
        "ssh_key": str(state.path("id_ed25519")),
        "ssh_known_hosts_file": str(state.path("known_hosts")),
        "ssh_strict_host_key_checking": "yes",  # the lab wrote the key down when it made the host
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "mail_hostname": host["fqdn"],
        "accounts_file": str(state.path("accounts.json")),
        "secrets_file": str(state.path("secrets.json")),
        # nothing beyond the package mirror is reached from a lab
        "signature_updates": False,
        "virus_signatures": [EICAR],
        "time_sources": [other["fqdn"] for other in state.described() if other["role"] == "world"],
    }
