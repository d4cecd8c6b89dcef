"""Unix users for programs, not for people."""

from pyinfra.operations import server

from operations.base import Commands, changing, mail_host, shell


@changing(owners="{user}")
def user(user: str, uid: int, gid: int, home: str) -> Commands:
    """A user and its group with these numbers, without a shell, without a password, and with no directory made for it.

    + user: the name of both
    + uid, gid: their numbers; those of a user that is there stay
    + home: the path that passwd names

    **Example:** ``users.user(user="vmail", uid=200, gid=200, home="/home/mail")``
    """
    there = mail_host()
    if user not in there.groups:
        yield from server.group._inner(group=user, gid=gid)
    if user not in there.passwd:
        yield from server.user._inner(
            user=user, uid=uid, group=user, home=home, shell="/usr/sbin/nologin", ensure_home=False, create_home=False
        )


@changing(owners="{group}")
def member(user: str, group: str) -> Commands:
    """The user is in the group, beside the one of its own.

    + user, group: names

    **Example:** ``users.member(user="clamav", group="amavis")``
    """
    if user not in mail_host().members.get(group, ()):
        yield shell('usermod -aG "$2" "$1"', user, group)
