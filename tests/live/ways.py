"""Ways by which a learner could reach what is another's, as cells and as requests. Each is tried with the own name first: then it has to
work, or it would prove nothing."""

# Cells, run in the learner's own kernel. What is in braces is of the learner whose things are tried; the last line prints.
CELLS = {
    "a notebook by its path": "print(open('/home/{user}/notebooks/00-the-factory-and-its-host.ipynb').read(1))",
    "the key of the mail host": "print(open('/home/{user}/class/learners/{name}/id_ed25519').read(10))",
    "the passwords of the accounts": "print(open('/home/{user}/class/learners/{name}/accounts.json').read(1))",
    "the secrets": "print(open('/home/{user}/class/learners/{name}/secrets.json').read(1))",
    "the secret of the server's cookies": "print(open('/home/{user}/.local/share/jupyter/runtime/jupyter_cookie_secret').read(1))",
    "the environment of the server, with its token": "print(len(open('/proc/{pid}/environ').read()))",
    "the open files of the server": "import os; print(len(os.listdir('/proc/{pid}/fd')))",
    "a signal to the server": "import os; os.kill({pid}, 0); print('there')",
    "a file in /tmp": "print(open('/tmp/of-{name}').read())",
    "shared memory": "print(open('/dev/shm/of-{name}').read())",
    "a socket without a file": "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0of-{name}'); print('there')",
    "a port of the kernel": "import socket; socket.create_connection(('127.0.0.1', {zmq}), 5); print('there')",
    "the mail host by ssh, at the lab's port": (
        "import subprocess\n"
        "run = ['ssh', '-F', '/home/{mine}/class/learners/{me}/ssh_config', '-p', '{ssh_port}', '-o', 'StrictHostKeyChecking=no',"
        " '-o', 'UserKnownHostsFile=/dev/null', '{me}', 'hostname']\n"
        "done = subprocess.run(run, capture_output=True, text=True)\n"
        "assert done.returncode == 0, done.stderr\n"
        "print(done.stdout)"
    ),
    "the account on the client": (
        "import subprocess\n"
        "run = ['ssh', '-F', '/home/{mine}/class/learners/{me}/ssh_config', '-l', '{user}', 'client', 'id -un']\n"
        "done = subprocess.run(run, capture_output=True, text=True)\n"
        "assert done.returncode == 0, done.stderr\n"
        "print(done.stdout)"
    ),
    "the user of the hub's API, by the server's token": (
        "import os, urllib.request as web\n"
        "url = os.environ['JUPYTERHUB_API_URL'] + '/users/{name}'\n"
        "print(web.urlopen(web.Request(url, headers={{'Authorization': 'token ' + os.environ['JUPYTERHUB_API_TOKEN']}})).status)"
    ),
}
# Requests of the learner's browser, by its cookies and by a token of theirs: method, path, and what is sent.
REQUESTS = [
    ("GET", "/user/{name}/lab", None),
    ("GET", "/user/{name}/api/contents", None),
    ("GET", "/user/{name}/files/00-the-factory-and-its-host.ipynb", None),
    ("GET", "/user/{name}/api/kernels", None),
    ("GET", "/user/{name}/api/kernels/{kernel}", None),
    ("POST", "/user/{name}/api/terminals", {}),
    ("GET", "/user/{name}/api/terminals", None),
    ("GET", "/hub/api/users/{name}", None),
    ("POST", "/hub/api/users/{name}/tokens", {"note": "of the test"}),
]
# What is nobody's but root's on the hub.
HUBS = [
    "/etc/mailroom-hub/tokens.json",
    "/etc/mailroom-hub/learners.json",
    "/etc/mailroom-hub/key.pem",
    "/var/lib/mailroom-hub/jupyterhub.sqlite",
    "/var/lib/mailroom-hub/cookie_secret",
    "/run/jupyter-ben-singleuser/jupyter-ben-singleuser.env",
    "/var/log/nginx/access.log",
    "/root/.ssh/authorized_keys",
]
# What leads out of a learner's network, or makes somebody else of them; each has to fail in the shell.
ESCAPES = [
    "sudo -n true",
    "su -c true root </dev/null",
    "nsenter --net=/run/netns/{name} true",
    "unshare --user --map-root-user true",
    "unshare --net true",
    "ip link add x type dummy",
    "systemctl stop jupyter-{name}-singleuser.service",
    "systemd-run --uid=0 true",
    "mount -t tmpfs none /mnt",
    "chown {user} /tmp",
    "touch /opt/mailroom/x",
    "mkdir /home/{user}",
]
