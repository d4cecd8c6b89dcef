"""Letters that are really signed and encrypted, and judges that are not ours: Mail::DKIM, openssl, gpg."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from lab import Host
from tests.faults.odd import LINE, head, lines, mail, multipart, part

# Signs what stands on standard input behind the key's last line.
SIGN = r"""use Mail::DKIM::Signer; my $all = do { local $/; <STDIN> };
my ($key, $letter) = $all =~ /\A(.*?-----END PRIVATE KEY-----\n)(.*)\z/s;
open my $file, '>', '/run/mailroom-test.key' or die; print $file $key; close $file;
my $signer = Mail::DKIM::Signer->new(Algorithm => 'rsa-sha256', Method => $ARGV[0], Domain => 'example.net',
  Selector => 'world', KeyFile => '/run/mailroom-test.key', Headers => 'X-Long:X-Folded:Subject:From:To:Date:Message-ID');
unlink '/run/mailroom-test.key'; $signer->PRINT($letter); $signer->CLOSE; print $signer->signature->as_string, "\r\n";"""
VERIFY = r"""use Mail::DKIM::Verifier; my $letter = do { local $/; <STDIN> }; $letter =~ s/\r?\n/\r\n/g;
my $judge = Mail::DKIM::Verifier->new; $judge->PRINT($letter); $judge->CLOSE; print $judge->result_detail;"""
METHODS = ("simple/simple", "relaxed/simple", "relaxed/relaxed")
CERTIFICATE = "/run/mailroom-test.pem"
SMIME = {
    "signed": f"openssl cms -sign -signer {CERTIFICATE} -inkey key -in text",
    "encrypted": f"openssl cms -encrypt -aes256 -in text {CERTIFICATE}",
}
OWN_KEY = f"""cd $(mktemp -d) && cat > text && openssl req -x509 -newkey rsa:2048 -nodes \
-subj /CN=alice/emailAddress=alice@example.net -keyout key -out {CERTIFICATE} 2>/dev/null"""


def dkim(host: Host, world: Host, method: str) -> bytes:
    """A letter of the kind that careless hops break, signed for example.net with the world's key."""
    html = b"<a href='https://example.net/" + b"q" * 1_500 + b"'>here</a>  "
    odd = (b"X-Long: " + b"h" * 1_200, b"X-Folded: one\r\n \r\n\t two ")
    letter = mail(*odd, body=lines(html, b"From here on", b".", b"blank at the end ", "Grüße".encode(), b"", b"", b""))
    key = world.run("openssl pkey -in $(find /etc/dkimkeys -name '*.private')").stdout
    return signed_by(host, key, letter, method) + letter


def signed_by(host: Host, key: str, letter: bytes, method: str) -> bytes:
    made = host.run(["perl", "-e", SIGN, method], stdin=key + letter.decode()).stdout
    assert made.startswith("DKIM-Signature:") and made.endswith("\n"), made
    return "\r\n".join(made.splitlines()).encode() + LINE


def dkim_verdict(host: Host, delivered: bytes) -> str:
    """What Mail::DKIM says of a letter as it stands in the mailbox, our lines above it and all."""
    return host.run(["perl", "-e", VERIFY], stdin=delivered.decode()).stdout


def smime(host: Host, how: str) -> bytes:
    """openssl's own: signed in clear text, or encrypted."""
    made = host.run(f"{OWN_KEY} && {SMIME[how]}", stdin="Content-Type: text/plain\n\nA letter. \n.\n").stdout
    return head(b"X-Kind: S/MIME") + b"\r\n".join(made.encode().splitlines()) + LINE


def smime_verdict(host: Host, delivered: bytes) -> str:
    """ "CMS Verification successful", or what openssl says instead."""
    judge = f"openssl cms -verify -purpose any -CAfile {CERTIFICATE} >/dev/null"
    return host.run(judge, stdin=delivered.decode(), check=False).stderr


class Gpg:
    """A key ring of its own, for as long as it is wanted."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailroom-gpg-"))
        self.folder.chmod(0o700)
        self._run("--quick-generate-key", "alice@example.net", "default", "default", "never")

    def _run(self, *words: str, stdin: bytes = b"") -> bytes:
        command = [
            "gpg",
            "--homedir",
            str(self.folder),
            "--batch",
            "--yes",
            "--passphrase",
            "",
            "--trust-model",
            "always",
            *words,
        ]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    def signed(self) -> bytes:
        """PGP/MIME (RFC 3156): the first part as it goes over the wire is what is signed."""
        text = part(
            b"Content-Type: text/plain; charset=utf-8", body="Grüße \r\n- a dash\r\nFrom here on\r\n.\r\n".encode()
        )
        armor = b"\r\n".join(self._run("--armor", "--detach-sign", stdin=text).splitlines()) + LINE
        signature = part(b"Content-Type: application/pgp-signature", body=armor)
        return multipart(text, signature, kind=b'signed; micalg=pgp-sha512; protocol="application/pgp-signature"')

    def encrypted(self) -> bytes:
        armor = self._run("--armor", "--encrypt", "--recipient", "alice@example.net", stdin=b"A letter.\r\n")
        version = part(b"Content-Type: application/pgp-encrypted", body=b"Version: 1\r\n")
        content = part(b"Content-Type: application/octet-stream", body=b"\r\n".join(armor.splitlines()) + LINE)
        return multipart(version, content, kind=b'encrypted; protocol="application/pgp-encrypted"')

    def verify(self, delivered: bytes) -> None:
        """CalledProcessError unless the signature holds for the first part as delivered."""
        text, signature = (one.removesuffix(LINE) for one in delivered.split(b"--=_b\r\n")[1:3])
        file = self.folder / "signature"
        file.write_bytes(signature.partition(b"\r\n\r\n")[2].partition(b"--=_b--")[0])
        self._run("--verify", str(file), "-", stdin=text)

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.folder), "--kill", "all"], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
