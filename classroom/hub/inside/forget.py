"""python -m classroom.hub.inside.forget NAME: ends every sign-in of this learner, and their server. Root's.

JupyterHub has no command for it. A browser is signed in by a cookie that names the user's cookie_id, and by tokens of the API; both are
in its database (jupyterhub/orm.py).
"""

import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing

DATABASE = "/var/lib/mailroom-hub/jupyterhub.sqlite"


def main(name: str) -> None:
    subprocess.run(["systemctl", "stop", f"jupyter-{name}-singleuser.service"], check=False, stderr=subprocess.DEVNULL)
    subprocess.run(["systemctl", "stop", "mailroom-hub"], check=True)
    try:
        with closing(sqlite3.connect(DATABASE)) as database, database:
            database.execute("UPDATE users SET cookie_id = ? WHERE name = ?", (uuid.uuid4().hex, name))
            for table in ("api_tokens", "oauth_codes"):
                database.execute(f"DELETE FROM {table} WHERE user_id = (SELECT id FROM users WHERE name = ?)", (name,))
    finally:
        subprocess.run(["systemctl", "start", "mailroom-hub"], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
