"""A throwaway second Dovecot on the lab host, on a port of its own: to try what one would never put on the real one."""

from collections.abc import Iterator
from contextlib import contextmanager

from notebooks.workbench.host import remote, where
from notebooks.workbench.show.errors import NotReady

PORT = 10143
PASSWORD = "open-sesame"  # of the throwaway Dovecot only: it is meant to be seen
USER = "somebody@example.test"

BASE = {
    "2.3": """protocols = imap
disable_plaintext_auth = no
passdb {
  driver = static
  args = password=%(password)s
}
userdb {
  driver = static
  args = uid=%(owner)s gid=%(owner)s home=%(folder)s/home
}
mail_location = maildir:~/mail
""",
    "2.4": """dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols {
  imap = yes
}
auth_allow_cleartext = yes
passdb static {
  password = %(password)s
}
userdb static {
  fields {
    uid = %(owner)s
    gid = %(owner)s
    home = %(folder)s/home
  }
}
mail_driver = maildir
mail_path = ~/mail
""",
}
REST = """ssl = no
base_dir = %(folder)s/run
state_dir = %(folder)s/state
instance_name = trial
log_path = %(folder)s/log
first_valid_uid = 100
first_valid_gid = 100
service imap-login {
  inet_listener imap {
    port = %(port)s
  }
  inet_listener imaps {
    port = 0
  }
}
namespace inbox {
  inbox = yes
}
"""
START = """umask 022; cd %(folder)s
mkdir run state home && chown %(owner)s home && cat >dovecot.conf
setsid dovecot -F -c %(folder)s/dovecot.conf >out 2>&1 </dev/null &
for n in $(seq 20); do ss -Hlnt 'sport = :%(port)s' | grep -q . && exit 0; sleep 0.1; done
cat out log 2>/dev/null | tail -n 5 >&2
exit 1
"""
STOP = "kill $(cat %(folder)s/run/master.pid); sleep 0.2; rm -rf %(folder)s"


@contextmanager
def dovecot(language: str, extra: str = "") -> Iterator[str]:
    """Run it with this more in its configuration; yields its folder on the host. It is gone afterwards."""
    here = where.place()
    where.lab_only(here, "A second Dovecot")
    folder = remote.execute("mktemp -d /tmp/trial.XXXXXX && chmod 755 /tmp/trial.*").out.strip()
    values = {"password": PASSWORD, "owner": here.data["mail_owner"], "folder": folder, "port": PORT}
    try:
        done = remote.execute(START % values, stdin=(BASE[language] + REST) % values + extra)
        if done.code:
            raise NotReady("The throwaway Dovecot did not start.", done.both)
        yield folder
    finally:
        remote.execute(STOP % values)
