"""The big receiver: mail for big.example is judged while its sender waits, and is refused, filed as spam or delivered by the verdict.

A milter of the world's Postfix. It looks at no other mail, and refuses a letter whole: who sends one to big.example and to others
at once does not learn which of them has refused. https://pythonhosted.org/pymilter/classMilter_1_1Base.html
"""

import socket
from email.utils import parseaddr
from typing import Any

import Milter

from judge import findings, rules
from judge.letter import Letter, authors, domain, fields

HERE, SOCKET = "big.example", "inet:8892@127.0.0.1"
# https://support.google.com/a/answer/3726730; what may be otherwise in a minute gets a 4xx
REPLIES = {"5": "550", "4": "451"}


@Milter.header_leading_space  # signatures with "simple" count the blanks
class Receiver(Milter.Base):
    def connect(self, name: str, family: int, address: Any) -> int:
        self.address = address[0] if family in (socket.AF_INET, socket.AF_INET6) else ""
        self.helo = ""
        return int(Milter.CONTINUE)

    def hello(self, name: str) -> int:
        self.helo = name
        return int(Milter.CONTINUE)

    @Milter.symlist("{tls_version}", "{cipher}")
    def envfrom(self, sender: str, *words: str) -> int:
        self.sender = bare(sender)
        self.tls = self.getsymval("{tls_version}"), self.getsymval("{cipher}")
        self.recipients: list[str] = []
        self.message = bytearray()
        return int(Milter.CONTINUE)

    def envrcpt(self, recipient: str, *words: str) -> int:
        if domain(bare(recipient)) == HERE:
            self.recipients.append(bare(recipient))
        return int(Milter.CONTINUE)

    def data(self) -> int:
        return int(Milter.CONTINUE if self.recipients else Milter.ACCEPT)

    @Milter.decode("bytes")
    def header(self, name: str, value: bytes) -> int:
        self.message += name.encode(errors="surrogateescape") + b":" + value.replace(b"\n", b"\r\n") + b"\r\n"
        return int(Milter.CONTINUE)

    def eoh(self) -> int:
        self.message += b"\r\n"
        return int(Milter.CONTINUE)

    def body(self, chunk: bytes) -> int:
        self.message += chunk
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        letter = self.letter()
        verdict = rules.verdicts(findings.all_of(letter))["few"]
        place, reason = verdict["place"], verdict["reason"]
        print(f"{letter.message_id} from {letter.sender or '<>'} by {letter.address}: {place}. {reason}", flush=True)
        if place == "refused":
            code = verdict["code"]
            self.setreply(REPLIES[code[0]], code, reason.replace("%", "%%"))
            return int(Milter.REJECT if code[0] == "5" else Milter.TEMPFAIL)
        # appended: the topmost line stays Postfix's Received, by which `judge` knows who has brought it
        self.addheader("X-Verdict", f"{place}; {reason}")
        if place == "spam":
            for one in self.recipients:
                self.delrcpt(f"<{one}>")
                self.addrcpt(f"<junk+{one}>")
        return int(Milter.ACCEPT)

    def letter(self) -> Letter:
        message = bytes(self.message)
        told = fields(message)
        version, cipher = self.tls
        return Letter(
            path="",
            message_id=str(told["Message-ID"] or "").strip(),
            address=self.address,
            helo=self.helo,
            sender=self.sender,
            authors=authors(told.get_all("From", [])),
            tls=(version, cipher or "") if version else None,
            message=message,
        )


def bare(path: str) -> str:
    """The address between the angle brackets of an SMTP command; "" for the empty one."""
    return parseaddr(path)[1] if "@" in path else path.strip("<> ")


if __name__ == "__main__":
    Milter.factory = Receiver
    Milter.set_exception_policy(Milter.TEMPFAIL)
    Milter.runmilter("judge", SOCKET, 60)
