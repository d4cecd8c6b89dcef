"""The Unix user that owns the mail."""

from pyinfra.operations import server

from operations.base import Commands, changing, mail_host


@changing
def exists(user: str, uid: int, gid: int, home: str) -> Commands:
    """A system user and its group with these numbers, without a shell and without a password."""
    there = mail_host()
    if user not in there.groups:
        yield from server.group._inner(group=user, gid=gid)
    if user not in there.passwd:
        yield from server.user._inner(
            user=user, uid=uid, group=user, home=home, shell="/usr/sbin/nologin", ensure_home=False, create_home=False
        )
