"""SELinux: which type a folder and its files carry. Nothing where there is no SELinux."""

from operations.base import Commands, changing, mail_host, reads, shell

# The rule first, so that a relabelling of the whole host (restorecon, an upgrade) gives the same answer.
LABEL = """semanage fcontext -a -t "$2" "$3" 2>/dev/null || semanage fcontext -m -t "$2" "$3"
restorecon -RF "$1"
"""


@reads("{path}")
@changing
def labelled(path: str, type: str) -> Commands:
    """This folder and what is in it have this SELinux type, now and after a relabelling
    (https://docs.redhat.com, "Using SELinux": semanage fcontext and restorecon)."""
    there = mail_host()
    pattern = path.replace(".", r"\.") + "(/.*)?"
    file = there.files.get(path)
    wrong = file is None or file.label != type or there.label_rules.get(pattern) != type
    if "selinux" in there.system and wrong:
        yield shell(LABEL, path, type, pattern)
