"""SELinux: which type a folder and its files carry. Nothing where there is no SELinux."""

from operations.base import Commands, changing, mail_host, shell

# The rule first, so that a relabelling of the whole host (restorecon, an upgrade) gives the same answer.
LABEL = """semanage fcontext -a -t "$2" "$3" 2>/dev/null || semanage fcontext -m -t "$2" "$3"
restorecon -RF "$1"
"""


@changing(reads="{path}")
def file_context(path: str, se_type: str) -> Commands:
    """This folder and what is in it have this SELinux type, now and after a relabelling
    (https://docs.redhat.com, "Using SELinux": semanage fcontext and restorecon).

    + path: the folder
    + se_type: the type

    **Example:** ``selinux.file_context(path="/srv/mail", se_type="mail_spool_t")``
    """
    there = mail_host()
    if "selinux" not in there.system:
        return "no SELinux here"
    pattern = path.replace(".", r"\.") + "(/.*)?"
    file = there.files.get(path)
    wrong = file is None or file.label != se_type or there.label_rules.get(pattern) != se_type
    if wrong:
        yield shell(LABEL, path, se_type, pattern)
