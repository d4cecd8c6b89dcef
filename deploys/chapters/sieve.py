"""Chapter 5: Dovecot continued. Delivery, filtering and vacation on the server, learning from the user's hand, steady time.

The article pipes each message to Dovecot's delivery agent. We hand it over with LMTP, and Pigeonhole, Dovecot's Sieve, speaks
two languages as Dovecot does. https://doc.dovecot.org/latest/core/plugins/sieve.html
"""

from pathlib import Path

from deploys.context import data, platform
from deploys.data import MailData
from deploys.foreign import clocks as clocks_of_others
from deploys.foreign import scripts as scripts_of_others
from deploys.paths import PROGRAMS, UNITS
from deploys.platforms import Platform
from deploys.restart import files_of, restart_changed, supervised
from deploys.step import step
from deploys.texts import dialects, filled, settings
from facts.mail_host import MailHost
from operations import accounts as rows
from operations import clock as clocks
from operations import dovecot, files, firewall, packages, postfix, services
from operations import sieve as scripts

FOLDER = "/etc/dovecot/sieve"
TRANSPORT = "lmtp:unix:private/dovecot-lmtp"  # instead of chapter 2's
SPOOL = "/var/spool/mailroom-learn"


def unfit(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """Why this chapter cannot be on this host, one sentence; [] when it can."""
    if "sieve" in system.packages:
        return [*clocks_of_others(there, system), *scripts_of_others(there)]
    return [
        f"chapter 5 has not been built for {system.name}; use Debian 13 or 12, or run deploys/dovecot.py, which is chapters 1, 2 and 4"
    ]


@step(
    "Chapter 5: time",
    article="$ yum install ntp\n$ chkconfig ntpd on\n$ /etc/init.d/ntpd start",
    today="# /etc/chrony/chrony.conf, as it came: a step only in the first three updates after the start\nmakestep 1 3",
    fit=unfit,
    now="chronyc -n sources | grep '^[#^]'",
)
def clock() -> None:
    """The clock is slewed, never turned back: "Time moved backwards" is what Dovecot died of in the article.

    Not ntpdate from cron, which jumps. chrony steps in its first three updates after the start only; where the host may not set
    its clock, it watches. https://chrony-project.org/doc/latest/chrony.conf.html
    """
    packages.packages(name="Install chrony", packages=platform().packages["chrony"], managers=platform().managers)
    clocks.sources(name="Whom it asks", servers=tuple(data().time_sources))
    clocks.adjustment(name="What it may do")
    supervised("chrony")
    services.service(
        name="chrony runs with its current files",
        service=platform().chrony_unit,
        files=files_of("chrony"),
    )


@step("Chapter 5: install Pigeonhole", article="$ yum install dovecot-pigeonhole", needs="dovecot.install", fit=unfit)
def install() -> None:
    """Pigeonhole, its ManageSieve server, and Dovecot's LMTP, each in a package of its own."""
    packages.packages(name="Install Pigeonhole", packages=platform().packages["sieve"], managers=platform().managers)


@step(
    "Chapter 5: LMTP",
    article=Path("sieve/lmtp.conf"),
    needs="postfix.install sieve.install dovecot.passdb dovecot.mail_owner",
    fit=unfit,
)
def lmtp() -> None:
    """Dovecot takes mail over a socket in Postfix's spool, as the owner of the mail, never as root.

    The second userdb is there since chapter 4; the listener auth-userdb stays, for the owner alone. The home is not the Maildir
    itself: there Sieve keeps scripts and whom it has answered. https://doc.dovecot.org/latest/core/config/delivery/lmtp.html
    """
    known = data()
    scripts.homes(name="A home for each mailbox", users=tuple(known.users), path=known.mail_home, user=known.mail_owner)
    dovecot.block(name="LMTP", block="lmtp", dialects=dialects(Path("sieve/lmtp.conf")))


@step(
    "Chapter 5: delivery",
    article="dovecot unix - n n - - pipe\n"
    "  flags=DRhu user=mailreader:mail argv=/usr/libexec/dovecot/deliver -f ${sender} -d ${recipient}\n"
    "UPDATE transports SET transport = 'dovecot' WHERE domain = 'example.com';",
    today="UPDATE transports SET transport = 'lmtp:unix:private/dovecot-lmtp'\n"
    "WHERE domain = '{{ mail_domain }}' AND transport = 'virtual:';",
    needs="postgresql.delivery sieve.lmtp",
    fit=unfit,
)
def delivery() -> None:
    """Dovecot delivers. Not through a pipe: that starts a process for each message, as one Unix user who may ask for all
    users, and tells Postfix an exit code where LMTP answers for each recipient.

    One recipient at a time, so that each copy says which alias was written to. Dovecot's LMTP does not know SMTPUTF8: mail
    that needs it is refused at the door, where Postfix would have to bounce it later. https://www.postfix.org/lmtp.8.html
    """
    restart_changed()  # Dovecot listens before Postfix sends anything there
    # A line of a letter may be longer than 998 bytes (HTML is): folded, it would no longer be what was signed.
    # One delivery to a mailbox at a time (with one recipient each, that is what the limit counts): Pigeonhole's list of what is
    # here already (once.sieve) forgets one of two that are written to it at once.
    # One refused connection, while Dovecot restarts, must not put off the mail of all for minutes.
    wanted = settings("""
        lmtp_destination_recipient_limit = 1
        lmtp_destination_concurrency_limit = 1
        lmtp_line_length_limit = 0
        lmtp_destination_concurrency_failed_cohort_limit = 0
        smtputf8_enable = no
        """)
    postfix.main_cf(name="How Postfix hands over", settings=wanted)
    postfix.columns(name="LMTP in master.cf", service="lmtp/unix", process_limit="10", flags="O")
    rows.transports(name="Rows of transports", domains=data().domains, transport=TRANSPORT, instead_of="virtual:")


@step(
    "Chapter 5: Sieve",
    article="$ protocol lda {\n    mail_plugins = $mail_plugins sieve\n  }",
    needs="sieve.lmtp",
    fit=unfit,
)
def sieve() -> None:
    """Scripts filter what is delivered. The first sorts out what is here already, which a hop that died has sent again. A redirected
    message bounces to the one who redirects, not to a stranger; and no script may reject, which after our 250 would be a letter to
    whomever the envelope names. `discard` and `fileinto` are left. https://www.rfc-editor.org/rfc/rfc5429#section-2.1
    https://www.rfc-editor.org/rfc/rfc7352
    """
    files.directory(name="Directory of global scripts", path=FOLDER)
    dovecot.block(name="Sieve", block="sieve", dialects=dialects(Path("sieve/sieve.conf")))
    _script("Each letter once", "once")


@step(
    "Chapter 5: spam goes to Junk",
    article="""
        # default.sieve
        require ["fileinto", "envelope"];
        if header :contains "X-Spam-Flag" "YES" {
          fileinto "Spam";
        }
        if envelope :is "from" "owner@list.example.com" {
          fileinto "List";
        }
        """,
    needs="sieve.sieve dovecot.mailboxes",
    fit=unfit,
)
def spam() -> None:
    """A script of the house, before each user's own, compiled here: delivery runs as the mail's owner, who may not write there.

    A default script, as the article calls its own, is for users who have none; and it files into a folder that nobody made.
    """
    text = """
        {% if dovecot == "2.3" %}
        plugin {
          sieve_before2 = /etc/dovecot/sieve/spam.sieve
        }
        {% else %}
        sieve_script spam {
          type = before
          path = /etc/dovecot/sieve/spam.sieve
        }
        {% endif %}
        """
    dovecot.block(name="The script before each user's own", block="spam", dialects=dialects(text))
    _script("Spam goes to Junk", "spam")


@step("Chapter 5: ManageSieve", needs="sieve.sieve", fit=unfit)
def managesieve() -> None:
    """Users keep their own scripts, with TLS only, on port 4190. A script that does not compile is refused, with its line.

    https://doc.dovecot.org/latest/core/config/sieve/managesieve.html
    """
    dovecot.block(name="ManageSieve", block="managesieve", dialects=dialects(Path("sieve/managesieve.conf")))
    firewall.services(name="The firewall lets in 4190", services=("managesieve",))


@step(
    "Chapter 5: vacation",
    article="""
        require ["fileinto", "vacation"];
        :days 1
        :subject "I am on vacation"
        :addresses ["foo@example.com, bar@example.com"]
        "I am out of the office until Monday.";
        """,
    needs="sieve.sieve",
    fit=unfit,
)
def vacation() -> None:
    """Who writes to somebody on vacation gets one answer in some days, from the address that he wrote to, alias or not.

    As printed it does not compile: `:days` stands there without `vacation`. Mended, it knows neither of the
    two addresses that share one string, and nothing says so. Ours is for users to copy. https://doc.dovecot.org/latest/core/config/sieve/extensions/vacation.html
    """
    text = r"""
        {% set wanted %}
        sieve_vacation_min_period = 1d
        sieve_vacation_default_period = 7d
        sieve_vacation_max_period = 60d
        sieve_vacation_use_original_recipient = yes
        {% endset %}
        {{ "plugin {\n  " ~ wanted | indent(2) ~ "}" if dovecot == "2.3" else wanted }}
        """
    dovecot.block(name="Vacation", block="vacation", dialects=dialects(text))
    files.directory(name="Directory of examples", path=f"{FOLDER}/examples")
    _script("An example that compiles", "examples/vacation")


@step("Chapter 5: learning", needs="sieve.sieve dovecot.mailboxes amavis.spamassassin", fit=unfit)
def learning() -> None:
    """Who moves or copies a message into Junk says "spam"; from there into the inbox, "no spam". Amavis's Bayes learns from both.

    From Junk to anywhere else says neither. The memory is everybody's: who files honest letters as spam teaches it for all.
    Dovecot only drops a copy into a spool. systemd starts sa-learn for all that lie there, so that moving 500 messages is quick.
    https://doc.dovecot.org/latest/core/plugins/imap_sieve.html
    """
    owner = data().mail_owner
    for folder in ("", "/new", "/spam", "/ham"):
        files.directory(name=f"Spool {SPOOL}{folder}", path=f"{SPOOL}{folder}", user=owner, group="amavis", mode="2770")
    for folder in ("", "/sieve"):
        files.directory(name=f"Programs {PROGRAMS}{folder}", path=f"{PROGRAMS}{folder}")
    pipe, learn = filled(Path("sieve/mailroom-learn.sh")), filled(Path("sieve/learn.sh"))
    files.put(name="What Dovecot runs", dest=f"{PROGRAMS}/sieve/mailroom-learn", text=pipe, mode="755")
    files.put(name="What feeds sa-learn", dest=f"{PROGRAMS}/learn", text=learn, mode="755")
    units = ("mailroom-learn.path", "mailroom-learn.service")
    for unit in units:
        files.put(name=f"Unit {unit}", dest=f"{UNITS}/{unit}", text=filled(Path("sieve", unit)))
    paths = tuple(f"{UNITS}/{unit}" for unit in units)
    services.service(name="systemd waits for messages", service=units[0], files=paths)
    dovecot.block(name="IMAPSieve", block="learning", dialects=dialects(Path("sieve/learning.conf")))
    _script("Into Junk", "learn-spam")
    _script("Out of Junk", "learn-ham")


@step("Chapter 5: debugging", article="$ mail_debug = yes", needs="sieve.install", fit=unfit)
def debugging() -> None:
    """What Dovecot and Sieve do with each message, in the journal. Off unless mail_debug says so: it is long, and names
    people's folders. https://doc.dovecot.org/latest/core/admin/logging.html
    """
    text = """
        {% if dovecot == "2.3" %}
        mail_debug = {{ "yes" if mail_debug else "no" }}
        {% else %}
        log_debug ={{ " category=mail OR category=sieve" if mail_debug else "" }}
        {% endif %}
        """
    dovecot.block(name="Debugging", block="debugging", dialects=dialects(text))


@step(
    "Chapter 5: restart",
    article="Now restart both.",
    today="systemctl restart dovecot postfix chrony",
    now="unit chrony",
    needs="sieve.install",
    fit=unfit,
)
def restart() -> None:
    """Mail is filtered, and answered."""
    restart_changed()


def _script(what: str, script: str) -> None:
    scripts.script(name=what, dest=f"{FOLDER}/{script}.sieve", text=filled(Path(f"sieve/{script}.sieve")))


STEPS = (clock, install, lmtp, delivery, sieve, spam, managesieve, vacation, learning, debugging, restart)
