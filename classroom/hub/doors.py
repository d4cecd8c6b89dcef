"""The hub's units and its web server, as texts: which doors there are for a learner, and none besides.

A learner's server runs in a network of its own (ip-netns(8)), in which there is a loopback and nothing else. systemd opens a port there
for each host that the learner may reach, and hands its connections on from outside (systemd.socket(5), NetworkNamespacePath;
systemd-socket-proxyd(8)). The ports of other learners' servers and kernels are on other loopbacks.
"""

from typing import Any

SERVER = 8888  # where each learner's server listens, on their own loopback
HUB = 8081  # JupyterHub itself, on the hub's loopback, and by a door on each learner's
FIRST = 8900  # the doors to the servers, on the hub's loopback: this and the last number of the address of the learner's host
PROXY = "/usr/lib/systemd/systemd-socket-proxyd --exit-idle-time=10min"
UNITS = "/etc/systemd/system"

ROOM = """\
[Unit]
Description=The network of learner %i: a loopback and nothing else
DefaultDependencies=no
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=-/usr/sbin/ip netns delete %i
ExecStart=/usr/sbin/ip netns add %i
ExecStart=/usr/sbin/ip -n %i link set lo up
ExecStop=/usr/sbin/ip netns delete %i
"""
SOCKET = """\
[Unit]
Description={what}
Requires=mailroom-room@{name}.service
After=mailroom-room@{name}.service

[Socket]
ListenStream=127.0.0.1:{port}
{listens}
[Install]
WantedBy=sockets.target
"""
SERVICE = """\
[Unit]
Description={what}
Requires=mailroom-room@{name}.service
After=mailroom-room@{name}.service

[Service]
ExecStart={proxy} {to}
{runs}DynamicUser=yes
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
PrivateDevices=yes
CapabilityBoundingSet=
MemoryMax=64M
"""
JUPYTERHUB = """\
[Unit]
Description=JupyterHub for the class
After=network.target sockets.target

[Service]
ExecStart=/opt/mailroom/.venv/bin/jupyterhub --config /opt/mailroom/classroom/hub/inside/config.py
Environment=PYTHONPATH=/opt/mailroom PYTHONDONTWRITEBYTECODE=1
StateDirectory=mailroom-hub
StateDirectoryMode=0700
WorkingDirectory=/var/lib/mailroom-hub
UMask=0077
KillMode=mixed
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
NGINX = """\
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
    # without what is behind a question mark: codes of a sign-in are there
    log_format short '$remote_addr $remote_user $time_iso8601 "$request_method $uri" $status $body_bytes_sent';
    access_log /var/log/nginx/access.log short;
    server_tokens off;
    include /etc/nginx/mime.types;
    map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
    server {
        listen 443 ssl;
        ssl_certificate /etc/mailroom-hub/certificate.pem;
        ssl_certificate_key /etc/mailroom-hub/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        client_max_body_size 64m;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_read_timeout 1d;
        proxy_set_header Host $http_host;
        proxy_set_header X-Scheme https;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        add_header Strict-Transport-Security "max-age=86400" always;
        location / { proxy_pass http://127.0.0.1:HUB; }
        location @hub { proxy_pass http://127.0.0.1:HUB; }
LEARNERS    }
}
""".replace("HUB", str(HUB))
# A server that does not run is the hub's to talk about: it offers to start it.
LOCATION = "        location /user/{name}/ {{ proxy_pass http://127.0.0.1:{door}; error_page 502 504 = @hub; }}\n"


def door(host: dict[str, Any]) -> int:
    """The port on the hub's loopback that leads to the server of the learner who has this host."""
    return FIRST + int(host["address"].rsplit(".", 1)[1])


def ways(hosts: list[dict[str, Any]]) -> dict[int, str]:
    """Where each port of a learner's loopback leads: their own host and those in common, and the hub."""
    return {host["ssh_port"]: f"{host['address']}:22" for host in hosts} | {HUB: f"127.0.0.1:{HUB}"}


def units(name: str, server: int, to: dict[int, str]) -> dict[str, str]:
    """The units of one learner by their names."""
    space = f"NetworkNamespacePath=/run/netns/{name}\n"
    found = {}
    for port, address in to.items():
        what, unit = f"{name} reaches {address}", f"mailroom-way-{name}-{port}"
        found[f"{unit}.socket"] = SOCKET.format(what=what, name=name, port=port, listens=space)
        found[f"{unit}.service"] = SERVICE.format(what=what, name=name, proxy=PROXY, to=address, runs="")
    what, unit = f"the server of {name}", f"mailroom-door-{name}"
    found[f"{unit}.socket"] = SOCKET.format(what=what, name=name, port=server, listens="")
    found[f"{unit}.service"] = SERVICE.format(what=what, name=name, proxy=PROXY, to=f"127.0.0.1:{SERVER}", runs=space)
    return found


def everybodys() -> dict[str, str]:
    return {"mailroom-room@.service": ROOM, "mailroom-hub.service": JUPYTERHUB}


def nginx(doors: dict[str, int]) -> str:
    return NGINX.replace("LEARNERS", "".join(LOCATION.format(name=name, door=port) for name, port in doors.items()))
