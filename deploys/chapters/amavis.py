"""Chapter 3: the trusty workers. Amavis, ClamAV and SpamAssassin look at every message before it reaches a mailbox.

The article's third part could not be had; its outline is kept: Postfix hands mail to Amavis on 10024 and gets it back on 10025.
Each part fails closed: with a worker missing, mail waits in Postfix's queue. https://www.postfix.org/FILTER_README.html
https://www.ijs.si/software/amavisd/amavisd-new-docs.html
"""

from deploys.chapters import amavis_texts as texts
from deploys.chapters import unpacking_texts as unpack
from deploys.context import data, platform
from deploys.data import MailData
from deploys.foreign import held_before_us
from deploys.forms import HDB
from deploys.platforms import Platform
from deploys.restart import restart_changed, restart_workers, supervised
from deploys.step import step
from deploys.texts import filled, settings
from facts.mail_host import MailHost
from operations import amavis as workshop
from operations import clamav as scanner
from operations import files, packages, postfix, services

LEAST_MEMORY = 1700  # MB, with ClamAV's official signatures
CONF = "/etc/amavis/conf.d"
PROGRAMS = "/usr/local/lib/mailroom"
WHAT = unpack.LIMITS + unpack.DECODERS + unpack.TWO_WAYS + unpack.BANNED
# Our own signatures, by ClamAV's name for each kind: of a whole file by its MD5, or of bytes anywhere in one.
SIGNATURES = {"hdb": "/var/lib/clamav/mailroom.hdb", "ndb": "/var/lib/clamav/mailroom.ndb"}


def unfit(there: MailHost, known: MailData, system: Platform) -> list[str]:
    """Why the workers cannot work on this host, one sentence each; [] when they can."""
    if "amavis" not in system.packages:
        return [
            f"chapter 3 has not been built for {system.name}, where Amavis and ClamAV come from EPEL; use Debian 13 or 12, "
            "or run deploys/dovecot.py, which is chapters 1, 2 and 4"
        ]
    memory = int(there.system.get("memory_mb") or LEAST_MEMORY)
    if known.antivirus and known.signature_updates and memory < LEAST_MEMORY:
        return [
            f"this host has {memory} MB of memory, and ClamAV's signatures alone take 1 to 1.3 GB; "
            "set antivirus = False, or take a host with 2 GB"
        ]
    return held_before_us(there)


@step("Chapter 3: install", article="yum install amavisd-new", fit=unfit)
def install() -> None:
    """Amavis, SpamAssassin inside it, ClamAV beside it. Without signature_updates nothing may fetch any: the package
    would start freshclam at once."""
    known = data()
    if not known.signature_updates:
        services.off(name="No signatures from outside", unit="clamav-freshclam")
        services.off(name="No rules from outside", unit="spamassassin-maintenance.timer")
    roles = ("amavis", "unpacking", "clamav") if known.antivirus else ("amavis", "unpacking")
    wanted = tuple(name for role in roles for name in platform().packages[role])
    packages.installed(name="Install the workers", names=wanted, managers=platform().managers)
    if known.signature_updates:
        services.on(name="SpamAssassin's rules every day", unit="spamassassin-maintenance.timer")
        if known.antivirus:
            services.on(name="ClamAV's signatures every hour", unit="clamav-freshclam")


@step("Chapter 3: ClamAV", article="yum install clamav clamd", needs="amavis")
def clamav() -> None:
    """clamd, one copy of its signatures in memory, and right to read what Amavis unpacked.

    https://docs.clamav.net/manual/Usage/Configuration.html
    """
    known = data()
    text = filled(texts.CLAMAV_IN_AMAVIS[known.antivirus])
    workshop.part(name="Amavis asks clamd", path=f"{CONF}/62-mailroom-clamav", text=text)
    if not known.antivirus:
        for what, unit in (("No clamd", "clamav-daemon.socket"), ("No clamd running", "clamav-daemon")):
            services.off(name=what, unit=unit, only_with=services.drop_in_path("clamav-daemon.socket"))
        return
    pairs = (line.partition(" ") for line in filled(texts.CLAMAV).splitlines())
    scanner.clamd_conf(name="clamd.conf", settings={key: value for key, _, value in pairs})
    scanner.member(name="clamd may read what Amavis unpacked", user="clamav", group="amavis")
    for kind, path in SIGNATURES.items():
        if lines := [line for line in known.virus_signatures if bool(HDB.fullmatch(line)) is (kind == "hdb")]:
            files.put(name=f"Our own signatures, .{kind}", path=path, text="\n".join(lines), owner="clamav:clamav")
        else:
            files.absent(name=f"No .{kind} of our own", path=path)
    if known.signature_updates:
        scanner.first_signatures(name="The first signatures")
    # the last of it: with these files clamd counts as set up, and may be started
    for unit in ("clamav-daemon.service", "clamav-daemon.socket"):
        services.drop_in(name=f"Signatures of any kind start {unit}", unit=unit, text=texts.CLAMAV_START)


@step(
    "Chapter 3: SpamAssassin",
    article="yum install spamassassin",
    needs="amavis",
)
def spamassassin() -> None:
    """Not a daemon: Amavis has it inside. If it fails, Amavis would only note it and let the message pass; ours sends it back.

    One rule is ours: a letter from outside that has our address in From, where people look, is filed as spam. DMARC, by which
    every domain can ask for that, comes with chapter 6.

    https://spamassassin.apache.org/full/4.0.x/doc/Mail_SpamAssassin_Conf.html
    """
    workshop.rules(name="SpamAssassin's settings", text=filled(texts.SPAMASSASSIN))
    text = filled(texts.SPAMASSASSIN_IN_AMAVIS)
    workshop.part(name="Amavis uses it", path=f"{CONF}/61-mailroom-spamassassin", text=text)


@step("Chapter 3: Amavis", needs="amavis")
def amavis() -> None:
    """Who we are, which ports, and what becomes of a message. Nothing here ever writes to a stranger's sender address:
    a virus is kept in quarantine, spam is delivered with a mark. https://www.postfix.org/BACKSCATTER_README.html
    """
    workshop.part(name="Amavis's settings", path=f"{CONF}/60-mailroom", text=filled(texts.AMAVIS))


@step(
    "Chapter 3: unpacking",
    needs="amavis",
)
def unpacking() -> None:
    """A letter is unpacked to its end, or held; so is one with a program for Windows in it. Its reader is told what came, and
    from whom: nothing of this vanishes. https://gitlab.com/amavis/amavis/-/blob/master/README_FILES/amavisd-new-docs.html
    """
    files.directory(name="Programs of our own", path=PROGRAMS)
    files.put(name="What opens RAR", path=f"{PROGRAMS}/unrar", text=unpack.UNRAR, mode="755")
    text = WHAT + unpack.SEALED[data().encrypted_archives]
    workshop.part(name="What is unpacked, and how far", path=f"{CONF}/65-mailroom-unpacking", text=filled(text))


@step("Chapter 3: quarantine", needs="amavis")
def quarantine() -> None:
    """Held mail is one file each, for Amavis and root only, and goes after quarantine_days. `python -m postmaster quarantine`
    lists and releases it. https://www.freedesktop.org/software/systemd/man/latest/tmpfiles.d.html
    """
    workshop.part(name="Where held mail goes", path=f"{CONF}/63-mailroom-quarantine", text=texts.QUARANTINE)
    text = filled(texts.EXPIRY)
    files.put(name="How long it is kept", path="/etc/tmpfiles.d/mailroom-quarantine.conf", text=text)


@step("Chapter 3: the workers start", today="systemctl restart clamav-daemon amavis", needs="amavis")
def workers() -> None:
    """Both daemons run, before Postfix sends anything their way, and are started again when they die."""
    supervised("amavis")
    if data().antivirus:
        supervised("clamav")
    restart_changed()


@step(
    "Chapter 3: the way there and back",
    article="smtp-amavis unix - - n - 2 smtp\n127.0.0.1:10025 inet n - n - - smtpd\n  -o content_filter=",
    needs="amavis",
)
def reinjection() -> None:
    """master.cf: a client that talks to Amavis, as many at once as there are workers, and a listener for what comes back.

    Only this host may connect to it: whatever arrives there is taken as checked.
    """
    postfix.master_cf(name="The way there", service="smtp-amavis/unix", entry=filled(texts.TO_AMAVIS))
    postfix.override(name="Its options", service="smtp-amavis/unix", settings=settings(texts.TO_AMAVIS_OPTIONS))
    cleanup, options = filled(texts.CHECKED_CLEANUP), settings(texts.CHECKED_CLEANUP_OPTIONS)
    postfix.master_cf(name="A cleanup for what was checked", service="cleanup-checked/unix", entry=cleanup)
    postfix.override(name="Its options", service="cleanup-checked/unix", settings=options)
    entry = f"127.0.0.1:10025 inet n - {platform().chroot} - - smtpd"
    postfix.master_cf(name="The way back", service="127.0.0.1:10025/inet", entry=entry)
    postfix.override(name="Its options", service="127.0.0.1:10025/inet", settings=settings(texts.BACK))


@step(
    "Chapter 3: the filter",
    article="content_filter = smtp-amavis:[127.0.0.1]:10024",
    needs="amavis",
)
def filter() -> None:
    """From here on nothing is delivered unseen. With spam_refuse_score, port 25 is filtered before the queue instead, so that
    it can refuse. https://www.postfix.org/SMTPD_PROXY_README.html
    """
    refusing = data().spam_refuse_score is not None
    text = filled(texts.REFUSE_IN_AMAVIS[refusing])
    workshop.part(
        name="Amavis may refuse" if refusing else "Amavis never refuses", path=f"{CONF}/64-mailroom-refuse", text=text
    )
    restart_workers()
    if refusing:
        postfix.override(name="Port 25 asks Amavis first", service="smtp/inet", settings=settings(texts.REFUSE))
    else:
        postfix.no_override(
            name="Port 25 does not wait for Amavis", service="smtp/inet", names=tuple(settings(texts.REFUSE))
        )
    for service in ("submission", "submissions"):
        filtered = settings(texts.FILTER_ORIGINATING)
        postfix.override(name=f"The filter of {service}", service=f"{service}/inet", settings=filtered)
    postfix.override(name="Mail of the host itself", service="pickup/unix", settings=settings(texts.FILTER_LOCAL))
    postfix.main_cf(name="The filter", settings=settings(texts.FILTER))


@step("Chapter 3: restart", article="/etc/init.d/postfix restart", today="systemctl restart postfix", needs="amavis")
def restart() -> None:
    """Mail takes the new way."""
    restart_changed()


STEPS = (install, clamav, spamassassin, amavis, unpacking, quarantine, workers, reinjection, filter, restart)
