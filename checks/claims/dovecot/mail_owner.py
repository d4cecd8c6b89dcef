"""Whose files the mail is."""

from shlex import quote

from checks.engine import Failed, Target, claim, negative


@claim(
    "Dovecot opens {foo}'s mail as the mail's owner",
    needs="ssh postgresql dovecot-sql imap",
    remedy="mail_uid, mail_gid and first_valid_uid in dovecot.conf.",
)
def opens(target: Target) -> str:
    return target.shell(f"doveadm mailbox status -u {quote(target.foo)} messages INBOX")


@claim(
    "Every file of mail belongs to the mail's owner",
    needs="ssh",
    remedy="chown -R the mail's folder; look at mail_uid and mail_gid.",
)
def owns(target: Target) -> str:
    others = target.shell(
        f"find {target.mail_home} -mindepth 1 ! -user {target.mail_owner} -printf '%u %p\\n' | head -n 5"
    )
    if others:
        raise Failed(others)
    return f"{target.mail_owner}, everywhere below {target.mail_home}"


@negative("No message can be read by other users of the host", needs="ssh", remedy="chmod -R o-rwx the mail's folder.")
def not_for_others(target: Target) -> str:
    # Folders and messages; Dovecot's own uidvalidity marks are empty and 0444 by design, and a link (to the Sieve script that
    # somebody has activated) shows 777, and is as open as what it leads to.
    found = target.shell(
        f"find {target.mail_home} ! -type l -perm /o+rwx '(' -type d -o -size +0 ')' -printf '%m %p\\n' | head -n 5"
    )
    if found:
        raise Failed(found)
    return f"no folder and no message below {target.mail_home} is open to others"
