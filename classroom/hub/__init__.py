"""The way in: JupyterHub for a class, on one more host of its lab. Each learner signs in with a token and works on their own host.

The hub is a host and not a program of the teacher's machine: it needs a systemd that starts a unit for each learner, and nothing of
it is left when the class goes. What runs there is in `inside`. A learner's server has a network of its own that is a loopback and
nothing else. On it is a port for each host that the learner may reach, at the number by which the lab publishes it (doors.py), so
all commands of mailroom work there as they do in a learner's folder.
"""
