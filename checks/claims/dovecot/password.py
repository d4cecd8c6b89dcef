"""Users log in with the passwords that are stored."""

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from checks.clients import mail, sql
from checks.engine import AFTERWARDS, Failed, Skipped, Target, claim, negative


@claim(
    "{foo} logs in, and really has mailboxes to open",
    needs="postgresql dovecot-sql imap imap-tls",
    provides="login",
    remedy="journalctl -u dovecot says why; doveadm auth test {foo}@… asks the passdb alone.",
)
def login(target: Target) -> str:
    with mail.imap(target, 0) as client:
        return opened(client)


@claim(
    "{bar} logs in as well, on 993",
    needs="login",
    remedy="Is the account locked, or its password another one in the data?",
)
def every_account(target: Target) -> str:
    with mail.imap(target, 1, port=993) as client:
        return opened(client)


@claim(
    "An address typed in capitals is the same account",
    needs="login",
    remedy="auth_username_format lowercases; addresses are stored lower.",
)
def capitals(target: Target) -> str:
    user, password = target.account(0)
    with mail.imap(target) as client:
        try:
            client.login(user.capitalize(), password)
        except LoginError as error:
            raise Failed(f"{user.capitalize()}: {mail.words(error)}") from error
        return opened(client)


@claim(
    "After wrong passwords the right one still works",
    needs="login",
    order=AFTERWARDS,
    remedy="Look at auth_penalty, and for a ban of ours.",
)
def not_locked_out(target: Target) -> str:
    # It also ends the waiting that Dovecot gave this address, so that the next person has none.
    with mail.imap(target, 0) as client:
        return opened(client)


@claim(
    "Each account has a whole hash",
    needs="ssh postgresql",
    remedy="A hashing command that failed inside $(…) stores an empty one: store it again.",
)
def stored(target: Target) -> str:
    lengths = sql.rows(target, "SELECT email, length(password) FROM users")
    if short := [f"{email}: {length} characters" for email, length in lengths if length < 60]:
        raise Failed(", ".join(short))
    if not lengths:
        raise Failed("no account at all")
    return f"{len(lengths)} of {len(lengths)}"


@negative(
    "Equal passwords do not show: every hash has its own salt",
    needs="ssh postgresql",
    remedy="Store them hashed again, in a salted scheme.",
)
def salted(target: Target) -> str:
    # Without the digest: Argon2 and SHA512-CRYPT end in salt$digest, bcrypt in 31 characters.
    [(rows, hashes, salts)] = sql.rows(
        target,
        "SELECT count(*), count(DISTINCT password), count(DISTINCT CASE WHEN password ~ '^\\{(ARGON2|SHA512-CRYPT)' "
        "THEN regexp_replace(password, '\\$[^$]*$', '') WHEN password LIKE '{BLF-CRYPT}%' THEN left(password, -31) "
        "ELSE password END) FROM users",
    )
    if rows < 2:
        raise Skipped("needs two accounts")
    if not rows == hashes == salts:
        raise Failed(f"{rows} accounts, {hashes} different hashes, {salts} different salts")
    return f"{rows} accounts, {salts} different salts"


def opened(client: IMAPClient) -> str:
    """A tagged OK at LOGIN is not proof: it also says "Logged in, but initialization failed"."""
    try:
        folders = [name for _, _, name in client.list_folders()]
        client.select_folder("INBOX", readonly=True)
    except (IMAPClientError, OSError) as error:
        raise Failed(f"logged in, but then: {mail.words(error)}") from error
    return f"LIST: {', '.join(sorted(folders))}; INBOX opens"
