"""Chapter 5: Dovecot continued. Delivery, filtering and vacation on the server, learning from the user's hand, steady time.

The article pipes each message to Dovecot's delivery agent. We hand it over with LMTP, and Pigeonhole, Dovecot's Sieve, speaks
two languages as Dovecot does. https://doc.dovecot.org/latest/core/plugins/sieve.html
"""

from deploys.chapters import learning_texts as learn
from deploys.chapters import sieve_texts as texts
from deploys.context import data, platform
from deploys.data import MailData
from deploys.foreign import clocks as clocks_of_others
from deploys.foreign import scripts as scripts_of_others
from deploys.platforms import Platform
from deploys.restart import files_of, restart_changed, supervised
from deploys.step import step
from deploys.texts import filled, settings
from facts.mail_host import MailHost
from operations import accounts as rows
from operations import clock as clocks
from operations import dovecot, files, firewall, packages, postfix, services
from operations import sieve as scripts

FOLDER = "/etc/dovecot/sieve"
LEARN_UNIT = "mailroom-learn"
LEARN_FILES = tuple(f"{learn.UNITS}/{LEARN_UNIT}.{kind}" for kind in ("path", "service"))


def unfit(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """Why this chapter cannot be on this host, one sentence; [] when it can."""
    if "sieve" in system.packages:
        return [*clocks_of_others(there, system), *scripts_of_others(there)]
    return [
        f"chapter 5 has not been built for {system.name}; use Debian 13 or 12, or run deploys/dovecot.py, which is chapters 1, 2 and 4"
    ]


@step(
    "Chapter 5: time",
    article=texts.CLOCK_ARTICLE,
    today="# /etc/chrony/chrony.conf, as it came: a step only in the first three updates after the start\nmakestep 1 3",
    fit=unfit,
)
def clock() -> None:
    """The clock is slewed, never turned back: "Time moved backwards" is what Dovecot died of in the article.

    Not ntpdate from cron, which jumps. chrony steps in its first three updates after the start only; where the host may not set
    its clock, it watches. https://chrony-project.org/doc/latest/chrony.conf.html
    """
    packages.installed(name="Install chrony", names=platform().packages["chrony"], managers=platform().managers)
    clocks.alone(name="Nothing else sets the clock")
    clocks.sources(name="Whom it asks", names=tuple(data().time_sources))
    clocks.allowed(name="What it may do")
    supervised("chrony")
    services.running(
        name="chrony runs with its current files",
        unit=platform().chrony_unit,
        files=files_of("chrony"),
    )


@step("Chapter 5: install Pigeonhole", article=texts.INSTALL_ARTICLE, needs="dovecot", fit=unfit)
def install() -> None:
    """Pigeonhole, its ManageSieve server, and Dovecot's LMTP, each in a package of its own."""
    packages.installed(name="Install Pigeonhole", names=platform().packages["sieve"], managers=platform().managers)


@step("Chapter 5: LMTP", article=texts.LMTP_ARTICLE, needs="sieve", fit=unfit)
def lmtp() -> None:
    """Dovecot takes mail over a socket in Postfix's spool, as the owner of the mail, never as root.

    The second userdb is there since chapter 4; the listener auth-userdb stays, for the owner alone. The home is not the Maildir
    itself: there Sieve keeps scripts and whom it has answered. https://doc.dovecot.org/latest/core/config/delivery/lmtp.html
    """
    known = data()
    scripts.homes(
        name="A home for each mailbox", users=tuple(known.users), base=known.mail_home, owner=known.mail_owner
    )
    dovecot.block(name="LMTP", block="lmtp", dialects=filled(texts.LMTP))


@step(
    "Chapter 5: delivery",
    article=texts.DELIVERY_ARTICLE,
    today="UPDATE transports SET transport = 'lmtp:unix:private/dovecot-lmtp'\n"
    "WHERE domain = '{{ mail_domain }}' AND transport = 'virtual:';",
    needs="sieve",
    fit=unfit,
)
def delivery() -> None:
    """Dovecot delivers. Not through a pipe: that starts a process for each message, as one Unix user who may ask for all
    users, and tells Postfix an exit code where LMTP answers for each recipient.

    One recipient at a time, so that each copy says which alias was written to. Dovecot's LMTP does not know SMTPUTF8: mail
    that needs it is refused at the door, where Postfix would have to bounce it later. https://www.postfix.org/lmtp.8.html
    """
    restart_changed()  # Dovecot listens before Postfix sends anything there
    postfix.main_cf(name="How Postfix hands over", settings=settings(texts.DELIVERY))
    postfix.columns(name="LMTP in master.cf", service="lmtp/unix", process_limit="10", flags="O")
    rows.delivered_by(
        name="Rows of transports", names=data().domains, transport=texts.TRANSPORT, instead_of=texts.BEFORE
    )


@step(
    "Chapter 5: Sieve",
    article=texts.SIEVE_ARTICLE,
    needs="sieve",
    fit=unfit,
)
def sieve() -> None:
    """Scripts filter what is delivered. The first sorts out what is here already, which a hop that died has sent again. A redirected
    message bounces to the one who redirects, not to a stranger; and no script may reject, which after our 250 would be a letter to
    whomever the envelope names. `discard` and `fileinto` are left. https://www.rfc-editor.org/rfc/rfc5429#section-2.1
    https://www.rfc-editor.org/rfc/rfc7352
    """
    files.directory(name="Directory of global scripts", path=FOLDER)
    dovecot.block(name="Sieve", block="sieve", dialects=texts.SIEVE)
    scripts.script(name="Each letter once", path=f"{FOLDER}/once.sieve", text=filled(texts.ONCE_SCRIPT))


@step(
    "Chapter 5: spam goes to Junk",
    article=texts.SPAM_ARTICLE,
    needs="sieve",
    fit=unfit,
)
def spam() -> None:
    """A script of the house, before each user's own, compiled here: delivery runs as the mail's owner, who may not write there.

    A default script, as the article calls its own, is for users who have none; and it files into a folder that nobody made.
    """
    dovecot.block(name="The script before each user's own", block="spam", dialects=texts.SPAM)
    scripts.script(name="Spam goes to Junk", path=f"{FOLDER}/spam.sieve", text=texts.SPAM_SCRIPT)


@step("Chapter 5: ManageSieve", needs="sieve", fit=unfit)
def managesieve() -> None:
    """Users keep their own scripts, with TLS only, on port 4190. A script that does not compile is refused, with its line.

    https://doc.dovecot.org/latest/core/config/sieve/managesieve.html
    """
    dovecot.block(name="ManageSieve", block="managesieve", dialects=texts.MANAGESIEVE)
    firewall.opened(name="The firewall lets in 4190", services=("managesieve",))


@step(
    "Chapter 5: vacation",
    article=texts.VACATION_ARTICLE,
    needs="sieve",
    fit=unfit,
)
def vacation() -> None:
    """Who writes to somebody on vacation gets one answer in some days, from the address that he wrote to, alias or not.

    As printed it does not compile: `:days` stands there without `vacation`. Mended, it knows neither of the
    two addresses that share one string, and nothing says so. Ours is for users to copy. https://doc.dovecot.org/latest/core/config/sieve/extensions/vacation.html
    """
    dovecot.block(name="Vacation", block="vacation", dialects=texts.VACATION)
    files.directory(name="Directory of examples", path=f"{FOLDER}/examples")
    example = filled(texts.VACATION_SCRIPT)
    scripts.script(name="An example that compiles", path=f"{FOLDER}/examples/vacation.sieve", text=example)


@step(
    "Chapter 5: learning",
    needs="amavis",
    fit=unfit,
)
def learning() -> None:
    """Who moves or copies a message into Junk says "spam"; from there into the inbox, "no spam". Amavis's Bayes learns from both.

    From Junk to anywhere else says neither. The memory is everybody's: who files honest letters as spam teaches it for all.
    Dovecot only drops a copy into a spool. systemd starts sa-learn for all that lie there, so that moving 500 messages is quick.
    https://doc.dovecot.org/latest/core/plugins/imap_sieve.html
    """
    owner = f"{data().mail_owner}:amavis"
    for folder in ("", "/new", "/spam", "/ham"):
        files.directory(name=f"Spool {learn.SPOOL}{folder}", path=f"{learn.SPOOL}{folder}", mode="2770", owner=owner)
    for folder in ("", "/sieve"):
        files.directory(name=f"Programs {learn.PROGRAMS}{folder}", path=f"{learn.PROGRAMS}{folder}")
    files.put(name="What Dovecot runs", path=f"{learn.PROGRAMS}/sieve/mailroom-learn", text=learn.PIPE, mode="755")
    files.put(name="What feeds sa-learn", path=f"{learn.PROGRAMS}/learn", text=learn.LEARN, mode="755")
    for path, text in zip(LEARN_FILES, (learn.PATH_UNIT, learn.SERVICE_UNIT), strict=True):
        files.put(name=f"Unit {path.rpartition('/')[2]}", path=path, text=text)
    services.running(name="systemd waits for messages", unit=f"{LEARN_UNIT}.path", files=LEARN_FILES)
    dovecot.block(name="IMAPSieve", block="learning", dialects=learn.LEARNING)
    scripts.script(name="Into Junk", path=f"{FOLDER}/learn-spam.sieve", text=learn.SPAM_SCRIPT)
    scripts.script(name="Out of Junk", path=f"{FOLDER}/learn-ham.sieve", text=learn.HAM_SCRIPT)


@step("Chapter 5: debugging", article=texts.DEBUGGING_ARTICLE, needs="sieve", fit=unfit)
def debugging() -> None:
    """What Dovecot and Sieve do with each message, in the journal. Off unless mail_debug says so: it is long, and names
    people's folders. https://doc.dovecot.org/latest/core/admin/logging.html
    """
    dovecot.block(name="Debugging", block="debugging", dialects=texts.DEBUGGING[bool(data().mail_debug)])


@step(
    "Chapter 5: restart",
    article="Now restart both.",
    today="systemctl restart dovecot postfix chrony",
    needs="sieve",
    fit=unfit,
)
def restart() -> None:
    """Mail is filtered, and answered."""
    restart_changed()


STEPS = (clock, install, lmtp, delivery, sieve, spam, managesieve, vacation, learning, debugging, restart)
