"""JupyterHub's configuration. https://jupyterhub.readthedocs.io/en/stable/reference/config-reference.html"""

from pathlib import Path

from classroom.hub.doors import HUB
from classroom.hub.inside import learners
from classroom.hub.inside.rooms import Room
from classroom.hub.inside.routes import Fixed
from classroom.hub.inside.signing import Tokens

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # JupyterHub defines it
c.JupyterHub.proxy_class = Fixed
c.JupyterHub.authenticator_class = Tokens
c.JupyterHub.spawner_class = Room
c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # nobody listens there: nginx is in front
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{HUB}"
c.JupyterHub.db_url = "sqlite:////var/lib/mailroom-hub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/var/lib/mailroom-hub/cookie_secret"
c.JupyterHub.cookie_max_age_days = 1
c.JupyterHub.cleanup_servers = False  # a hub that starts again ends nobody's work
c.JupyterHub.template_paths = [str(Path(__file__).parent / "templates")]

c.Authenticator.allowed_users = set(learners.known())
c.Authenticator.delete_invalid_users = True  # who has left the class
c.Authenticator.admin_users = set()  # whoever teaches has the hub's root shell

c.Spawner.mem_limit = learners.memory()
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # thirty start at once, when a class begins
