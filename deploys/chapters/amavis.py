"""Chapter 3: the trusty workers. Amavis, ClamAV and SpamAssassin look at every message before it reaches a mailbox.

The article's third part could not be had; its outline is kept: Postfix hands mail to Amavis on 10024 and gets it back on 10025.
Each part fails closed: with a worker missing, mail waits in Postfix's queue. https://www.postfix.org/FILTER_README.html
https://www.ijs.si/software/amavisd/amavisd-new-docs.html
"""

from pathlib import Path

from deploys.context import data, platform
from deploys.data import MailData
from deploys.foreign import held_before_us
from deploys.forms import HDB
from deploys.paths import PROGRAMS
from deploys.platforms import Platform
from deploys.restart import restart_changed, restart_workers, supervised
from deploys.step import step
from deploys.texts import filled, settings
from facts.mail_host import MailHost
from operations import amavis as workshop
from operations import clamav as scanner
from operations import files, packages, postfix, services, users

LEAST_MEMORY = 1700  # MB, with ClamAV's official signatures
CONF = "/etc/amavis/conf.d"
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
    would start freshclam at once. With them, freshclam's daemon does, every hour; the timer that the package has beside it finds
    the daemon's log locked, and would fail once a day."""
    known = data()
    for unit in ("clamav-freshclam-once", "clamav-freshclam-once.timer") if known.antivirus else ():
        services.service(name=f"No second freshclam, {unit}", service=unit, running=False)
    if not known.signature_updates:
        services.service(name="No signatures from outside", service="clamav-freshclam", running=False)
        services.service(name="No rules from outside", service="spamassassin-maintenance.timer", running=False)
    roles = ("amavis", "unpacking", "clamav") if known.antivirus else ("amavis", "unpacking")
    wanted = tuple(name for role in roles for name in platform().packages[role])
    packages.packages(name="Install the workers", packages=wanted, managers=platform().managers)
    if known.signature_updates:
        services.service(name="SpamAssassin's rules every day", service="spamassassin-maintenance.timer")
        if known.antivirus:
            services.service(name="ClamAV's signatures every hour", service="clamav-freshclam")


@step(
    "Chapter 3: ClamAV",
    article="yum install clamav clamd",
    now="echo signatures: $(ls /var/lib/clamav)",
    needs="amavis.install",
)
def clamav() -> None:
    """clamd, one copy of its signatures in memory, and right to read what Amavis unpacked.

    https://docs.clamav.net/manual/Usage/Configuration.html
    """
    known = data()
    _part("Amavis asks clamd", "62-mailroom-clamav")
    if not known.antivirus:
        for what, unit in (("No clamd", "clamav-daemon.socket"), ("No clamd running", "clamav-daemon")):
            services.service(
                name=what, service=unit, only_with=services.drop_in_path("clamav-daemon.socket"), running=False
            )
        return
    text = """
        MaxThreads {{ amavis_processes }}
        ConcurrentDatabaseReload no
        MaxFileSize {{ scan_limit }}
        StreamMaxLength {{ scan_limit }}
        MaxScanSize {{ scan_limit }}
        AlertExceedsMax yes
        """
    scanner.clamd_conf(name="clamd.conf", settings=dict(line.split(" ") for line in filled(text).splitlines()))
    users.member(name="clamd may read what Amavis unpacked", user="clamav", group="amavis")
    for kind, path in SIGNATURES.items():
        if lines := [line for line in known.virus_signatures if bool(HDB.fullmatch(line)) is (kind == "hdb")]:
            files.put(
                name=f"Our own signatures, .{kind}", dest=path, text="\n".join(lines), user="clamav", group="clamav"
            )
        else:
            files.file(name=f"No .{kind} of our own", path=path, present=False)
    if known.signature_updates:
        scanner.signatures(name="The first signatures")
    # the last of it: with these files clamd counts as set up, and may be started
    for unit in ("clamav-daemon.service", "clamav-daemon.socket"):
        text = filled(Path("amavis/clamav-daemon.conf"))
        services.drop_in(name=f"Signatures of any kind start {unit}", service=unit, text=text)


@step("Chapter 3: SpamAssassin", article="yum install spamassassin", needs="amavis.install")
def spamassassin() -> None:
    """Not a daemon: Amavis has it inside. If it fails, Amavis would only note it and let the message pass; ours sends it back.

    One rule is ours: a letter from outside that has our address in From, where people look, is filed as spam. DMARC, by which
    every domain can ask for that, comes with chapter 6.

    https://spamassassin.apache.org/full/4.0.x/doc/Mail_SpamAssassin_Conf.html
    """
    workshop.rules(name="SpamAssassin's settings", text=filled(Path("amavis/mailroom.cf")))
    _part("Amavis uses it", "61-mailroom-spamassassin")


@step("Chapter 3: Amavis", needs="amavis.install")
def amavis() -> None:
    """Who we are, which ports, and what becomes of a message. Nothing here ever writes to a stranger's sender address:
    a virus is kept in quarantine, spam is delivered with a mark. https://www.postfix.org/BACKSCATTER_README.html
    """
    _part("Amavis's settings", "60-mailroom")


@step("Chapter 3: unpacking", needs="amavis.install")
def unpacking() -> None:
    """A letter is unpacked to its end, or held; so is one with a program for Windows in it. Its reader is told what came, and
    from whom: nothing of this vanishes. https://gitlab.com/amavis/amavis/-/blob/master/README_FILES/amavisd-new-docs.html
    """
    files.directory(name="Programs of our own", path=PROGRAMS)
    files.put(name="What opens RAR", dest=f"{PROGRAMS}/unrar", text=filled(Path("amavis/unrar.sh")), mode="755")
    _part("What is unpacked, and how far", "65-mailroom-unpacking")


@step("Chapter 3: quarantine", needs="amavis.install")
def quarantine() -> None:
    """Held mail is one file each, for Amavis and root only, and goes after quarantine_days. `python -m postmaster quarantine`
    lists and releases it. https://www.freedesktop.org/software/systemd/man/latest/tmpfiles.d.html
    """
    _part("Where held mail goes", "63-mailroom-quarantine")
    text = filled("e /var/lib/amavis/virusmails 0750 amavis amavis {{ quarantine_days }}d")
    files.put(name="How long it is kept", dest="/etc/tmpfiles.d/mailroom-quarantine.conf", text=text)


@step(
    "Chapter 3: the workers start",
    today="systemctl restart clamav-daemon amavis",
    needs="amavis.clamav amavis.spamassassin amavis.amavis amavis.unpacking amavis.quarantine",
)
def workers() -> None:
    """Both daemons run, before Postfix sends anything their way, and are started again when they die."""
    supervised("amavis")
    if data().antivirus:
        supervised("clamav")
    restart_changed()


@step(
    "Chapter 3: the way there and back",
    article="smtp-amavis unix - - n - 2 smtp\n127.0.0.1:10025 inet n - n - - smtpd\n  -o content_filter=",
    needs="postfix.install amavis.workers",
)
def reinjection() -> None:
    """master.cf: a client that talks to Amavis, as many at once as there are workers, and a listener for what comes back.

    Only this host may connect to it: whatever arrives there is taken as checked.
    """
    way = filled("smtp-amavis unix - - {{ chroot }} - {{ amavis_processes }} smtp")
    options = settings("""
        syslog_name=postfix/amavis
        smtp_data_done_timeout=1200s
        smtp_send_xforward_command=yes
        smtp_dns_support_level=disabled
        smtp_tls_security_level=none
        smtp_line_length_limit=0
        disable_mime_output_conversion=yes
        """)
    postfix.master_cf(name="The way there", service="smtp-amavis/unix", entry=way)
    postfix.overrides(name="Its options", service="smtp-amavis/unix", settings=options)
    # Only port 10025 may write to it: no limit of the outer door's, in size or in hops, for what has grown by a few lines since.
    cleanup = filled("cleanup-checked unix n - {{ chroot }} - 0 cleanup")
    options = settings("message_drop_headers=return-path\nmessage_size_limit=0\nhopcount_limit=100")
    postfix.master_cf(name="A cleanup for what was checked", service="cleanup-checked/unix", entry=cleanup)
    postfix.overrides(name="Its options", service="cleanup-checked/unix", settings=options)
    back = filled("127.0.0.1:10025 inet n - {{ chroot }} - - smtpd")
    options = settings(Path("amavis/reinjection.cf"))
    postfix.master_cf(name="The way back", service="127.0.0.1:10025/inet", entry=back)
    postfix.overrides(name="Its options", service="127.0.0.1:10025/inet", settings=options)


@step(
    "Chapter 3: the filter",
    article="content_filter = smtp-amavis:[127.0.0.1]:10024",
    needs="postfix.submission postfix.submissions postgresql.delivery amavis.reinjection",
)
def filter() -> None:
    """From here on nothing is delivered unseen. With spam_refuse_score, port 25 is filtered before the queue instead, so that
    it can refuse. https://www.postfix.org/SMTPD_PROXY_README.html
    """
    refusing = data().spam_refuse_score is not None
    _part("Amavis may refuse" if refusing else "Amavis never refuses", "64-mailroom-refuse")
    restart_workers()
    refuse = settings("content_filter=\nsmtpd_proxy_filter=127.0.0.1:10028\nsmtpd_proxy_options=speed_adjust")
    what = "asks Amavis first" if refusing else "does not wait for Amavis"
    postfix.overrides(name=f"Port 25 {what}", service="smtp/inet", settings=refuse, present=refusing)
    filtered = settings("content_filter=smtp-amavis:[127.0.0.1]:10026")
    for service in ("submission", "submissions"):
        postfix.overrides(name=f"The filter of {service}", service=f"{service}/inet", settings=filtered)
    # Mail of the host's own programs learns here, before the filter, whom its bare names mean; behind it that cannot be known.
    own = settings("receive_override_options=")
    postfix.overrides(name="Mail of the host itself", service="pickup/unix", settings=own)
    # Postfix would take Amavis for dead after one refused connection, and put off every letter for minutes: each one asks for itself.
    wanted = settings("""
        content_filter = smtp-amavis:[127.0.0.1]:10024
        receive_override_options = no_address_mappings
        smtp-amavis_destination_concurrency_failed_cohort_limit = 0
        """)
    postfix.main_cf(name="The filter", settings=wanted)


@step(
    "Chapter 3: restart",
    article="/etc/init.d/postfix restart",
    today="systemctl restart postfix",
    needs="amavis.filter",
)
def restart() -> None:
    """Mail takes the new way."""
    restart_changed()


def _part(what: str, part: str) -> None:
    """A part of Amavis's configuration, which is Perl: Debian reads them in the order of their names, ours last."""
    workshop.part(name=what, dest=f"{CONF}/{part}", text=filled(Path(f"amavis/{part}.pl")))


STEPS = (install, clamav, spamassassin, amavis, unpacking, quarantine, workers, reinjection, filter, restart)
