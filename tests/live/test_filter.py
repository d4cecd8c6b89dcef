"""Mail from the world, of every kind, and what the workers make of it."""

import re
import smtplib
from collections.abc import Iterator

import pytest

from checks.clients.samples import EICAR
from lab import Host
from tests.faults import hiding
from tests.live import traffic
from tests.live.support import MAILSERVER, applied
from tests.live.traffic import ALICE, INBOX, bring, delivered, folder, held, message, read, scanned, send, settled

FOO, BAR = "foo@example.test", "bar@example.test"


@pytest.fixture
def quiet(mailserver: Host, world: Host) -> Iterator[None]:
    """No mail anywhere before, and none for anybody in the world after: nothing here may ever write to a stranger."""
    settled(mailserver, world)
    traffic.empty(mailserver, world)
    yield
    settled(mailserver, world)
    assert traffic.mail_out_there(world) == []


@pytest.mark.usefixtures("quiet")
class TestStrangers:
    def test_a_clean_letter_arrives(self, mailserver: Host, world: Host) -> None:
        mark, text = message(FOO)
        send(world, text, FOO)
        path = delivered(mailserver, mark)
        assert folder(path) == INBOX and scanned(read(mailserver, path))
        assert "X-Spam-Flag: YES" not in read(mailserver, path)

    def test_spam_is_filed(self, mailserver: Host, world: Host) -> None:
        mark, text = traffic.spam(FOO)
        send(world, text, FOO)
        path = delivered(mailserver, mark)
        assert folder(path) == "Junk" and "\nX-Spam-Flag: YES\n" in read(mailserver, path)

    def test_a_virus_reaches_nobody_and_is_told_to_nobody(self, mailserver: Host, world: Host) -> None:
        """As a file, in a zip, and in a zip in a zip; the senders exist, and never hear of it."""
        once = traffic.zipped(EICAR, "sample.txt")
        kinds = {"sample.txt": EICAR, "one.zip": once, "two.zip": traffic.zipped(once, "one.zip")}
        letters = [message(BAR, attached=body, name=name) for name, body in kinds.items()]
        for _, text in letters:
            send(world, text, BAR, sender="carol@example.net")
        marks = [mark for mark, _ in letters]
        traffic.until(lambda: all(held(mailserver, mark) for mark in marks), "all three are held")
        assert traffic.places(mailserver, marks) == {mark: [] for mark in marks}
        modes = mailserver.run(f"stat -c '%a %U' {traffic.HOLD} {traffic.HOLD}/virus-*").stdout.split("\n")[:-1]
        assert all(line.endswith("0 amavis") for line in modes), modes

    def test_a_virus_hidden_under_a_forged_verdict(self, mailserver: Host, world: Host) -> None:
        """Whoever writes in the workers' name does not get past them."""
        forged = (
            ("X-Virus-Scanned", "clean"),
            ("X-Spam-Flag", "NO"),
            ("Received", "by localhost (amavis, port 10024)"),
        )
        mark, text = message(FOO, *forged, attached=EICAR)
        send(world, text, FOO)
        traffic.until(lambda: held(mailserver, mark), "it is held")
        assert traffic.places(mailserver, [mark]) == {mark: []}

    def test_twenty_megabytes(self, mailserver: Host, world: Host) -> None:
        mark, text = message(FOO)
        world.run(f"{{ cat; head -c 15000000 /dev/urandom | base64; }} | sendmail -f {ALICE} {FOO}", stdin=text)
        path = delivered(mailserver, mark)
        assert int(mailserver.run(["stat", "-c", "%s", path]).stdout) > 20_000_000
        assert scanned(mailserver.run(["head", "-c", "20000", path]).stdout)

    def test_eight_bits_and_an_empty_body(self, mailserver: Host, world: Host) -> None:
        mark, text = message(FOO)
        raw = text.replace("Subject: A letter", "Subject: Grüße aus Łódź").replace("A letter.\n", "Schöne Grüße.\n")
        raw = raw.replace("7bit", "8bit").replace('"us-ascii"', '"utf-8"').replace("us-ascii", "utf-8")
        hollow, empty = message(FOO, text="")
        assert "250 2.0.0" in bring(world, raw, FOO)  # as it is: the world's own server would ask for SMTPUTF8
        send(world, empty.rstrip("\n") + "\n\n", FOO)
        path = delivered(mailserver, mark)
        assert "Schöne Grüße." in read(mailserver, path) and "Grüße aus Łódź" in read(mailserver, path)
        assert scanned(read(mailserver, path)) and scanned(read(mailserver, delivered(mailserver, hollow)))

    def test_an_address_beyond_ascii_is_refused_at_the_door(self, mailserver: Host) -> None:
        """Dovecot's LMTP has no SMTPUTF8: what needs it is refused to the sending server, not taken and bounced later."""
        with smtplib.SMTP("127.0.0.1", mailserver.record["ports"]["25"], timeout=30) as client:
            client.ehlo("elm.homes.example.net")
            assert not client.has_extn("smtputf8")
            client.send("MAIL FROM:<łukasz@example.org> SMTPUTF8\r\n".encode())
            code, _ = client.getreply()
        assert 500 <= code < 600

    def test_a_hundred_recipients(self, mailserver: Host, world: Host) -> None:
        """A hundred mailboxes, one letter each."""
        sql = "cd /; runuser -u postgres -- psql -qX -v ON_ERROR_STOP=1 -d mail"
        rows = "SELECT 'many' || n || '@example.test', '{CRYPT}*', 'example.test/many' || n || '/' FROM generate_series(1, 100) n"
        mailserver.run(sql, stdin=f"INSERT INTO users (email, password, maildir) {rows};")
        try:
            mark, text = message("people@example.org")
            send(world, text, *[f"many{n}@example.test" for n in range(1, 101)])
            traffic.until(lambda: len(traffic.places(mailserver, [mark])[mark]) == 100, "a hundred copies", 90)
            paths = traffic.places(mailserver, [mark])[mark]
            assert len({path.split("/")[4] for path in paths}) == 100
            assert scanned(read(mailserver, paths[99]))
        finally:
            mailserver.run(sql, stdin="DELETE FROM users WHERE email LIKE 'many%';")
            mailserver.run("rm -rf /home/mail/example.test/many* /home/mail/.home/example.test/many*")

    def test_dkim(self, mailserver: Host, world: Host) -> None:
        """The world signs what it sends; a changed body fails, and a stranger's own verdict is taken away."""
        mark, text = message(FOO, ("Authentication-Results", "mx1.example.test; dkim=pass header.d=bank.example"))
        send(world, text, FOO)
        first = read(mailserver, delivered(mailserver, mark))
        results = re.findall(r"^Authentication-Results:.*(?:\n\s.*)*", first, re.M)
        assert len(results) == 1 and "dkim=pass" in results[0] and "example.net" in results[0], results
        signed = first[first.index("DKIM-Signature:") :].replace("A letter.\n", "Another letter.\n")
        again = signed.replace(mark, mark[::-1], 1) if signed.index(mark) < signed.index("\n\n") else signed
        bring(world, again, FOO)
        changed = read(mailserver, delivered(mailserver, mark[::-1]))
        results = re.findall(r"^Authentication-Results:.*(?:\n\s.*)*", changed, re.M)
        assert results and "dkim=fail" in results[0] and not any("dkim=pass" in one for one in results), results


@pytest.fixture
def refusing(mailserver: Host) -> Iterator[Host]:
    """The same server, told to refuse spam at the door."""
    applied(MAILSERVER, "--data", "spam_refuse_score=10")
    yield mailserver
    applied(MAILSERVER)
    assert applied(MAILSERVER).changes == 0


@pytest.mark.usefixtures("quiet")
def test_spam_and_viruses_are_refused_at_the_door(refusing: Host, world: Host) -> None:
    """While the sending server waits for the answer: nobody has to be written to. A clean letter comes through all the same."""
    assert applied(MAILSERVER, "--data", "spam_refuse_score=10").changes == 0
    bomb = hiding.nested(25, b"nothing")
    refused = [traffic.spam(FOO), message(FOO, attached=EICAR), message(FOO, attached=bomb, name="a.zip")]
    for _, text in refused:
        heard = bring(world, text, FOO)
        assert re.search(r"<\*\* +554 5\.7\.", heard), heard
    mark, text = message(FOO, sender="carol@example.org")  # whose domain asks for nothing: nothing proves it
    assert re.search(r"<[-~] +250 2\.0\.0 from MTA", bring(world, text, FOO))
    path = delivered(refusing, mark)
    assert folder(path) == INBOX and re.search(r"\(amavis(?:d-new)?, port 10028\)", read(refusing, path))
    marks = [mark for mark, _ in refused]
    assert traffic.places(refusing, marks) == {mark: [] for mark in marks}
