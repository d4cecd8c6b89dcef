"""A lab host's data for pyinfra: how to reach it, and what is different in a lab."""

from typing import Any

from lab import names, state

# The only signatures a lab needs, as lines of ClamAV's .ndb files: name, type of file, place in it, and the bytes. They are the
# EICAR test file's, anywhere in any file. Not its MD5: pasted into a letter, or with the line end that its definition allows, it
# is that file no more. Of HTML, which is type 3, ClamAV looks at what it makes of it, in lower case.
# https://docs.clamav.net/manual/Signatures/BodySignatureFormat.html
_EICAR = bytes.fromhex(
    "58354f2150254041505b345c505a58353428505e2937434329377d"
    "2445494341522d5354414e444152442d414e544956495255532d544553542d46494c452124482b482a"
)
EICAR = [f"Eicar-Test-Signature:0:*:{_EICAR.hex()}", f"Eicar-Test-Signature:3:*:{_EICAR.lower().hex()}"]


def inventory_data(host: state.Record) -> dict[str, Any]:
    """Host data for an inventory; paths are absolute, secrets only named by their file."""
    worlds = [other for other in state.described() if other["role"] == names.WORLD]
    return {
        "ssh_hostname": "127.0.0.1",
        "ssh_port": host["ssh_port"],
        "ssh_user": "root",
        "ssh_key": str(state.of(host, "id_ed25519")),
        "ssh_known_hosts_file": str(state.of(host, "known_hosts")),
        "ssh_strict_host_key_checking": "yes",  # the lab wrote the key down when it made the host
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
        "mail_hostname": host["fqdn"],
        **(of_its_own(host["domain"]) if host.get("domain") else {}),
        "accounts_file": str(state.of(host, "accounts.json")),
        "secrets_file": str(state.of(host, "secrets.json")),
        # a lab reaches nothing beyond the package mirror
        "signature_updates": False,
        "virus_signatures": EICAR,
        "time_sources": [other["fqdn"] for other in worlds],
        # the lab's own certificate authority, and no real one ever (lab/world.py)
        "acme": bool(worlds),
        "dane": bool(worlds),  # by the keys of the world's signed zones: lab.conf of its resolver (lab/hosts.py)
        "acme_trust": "/etc/mailroom-lab/authority.pem" if worlds else None,
        "mta_sts": "enforce" if worlds else None,
        "autoconfig": bool(worlds),
        "obey_mta_sts": bool(worlds),
        **({"acme_directory": f"https://{worlds[0]['fqdn']}:14000/dir"} if worlds else {}),
    }


def of_its_own(domain: str) -> dict[str, Any]:
    """What a host with a domain of its own has in the place of example.test: the same two accounts, in its domain."""
    people = [{"email": f"{name}@{domain}", "name": f"{name.title()} Lastname"} for name in ("foo", "bar")]
    return {"mail_domains": [domain], "mail_users": people}
