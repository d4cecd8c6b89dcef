"""The books of the faults' suite: a letter that was lost, changed or delivered twice is noticed, and an honest one is not."""

import pytest

from tests.faults.letters import Letter, judge, mark_of, write

FOO, BAR = "foo@example.test", "bar@example.test"
TRACE = b"Return-Path: <alice@example.net>\r\nReceived: by mx1.example.test\r\n"


def sent(accepted: int = 1, unknown: int = 0, refused: str = "") -> Letter:
    letter = write(FOO)
    letter.accepted, letter.unknown, letter.refused = accepted, unknown, refused
    return letter


def read(letter: Letter, *copies: bytes, owner: str = FOO) -> dict[str, dict[str, list[bytes]]]:
    return {FOO: {}, BAR: {}} | {owner: {letter.mark: [TRACE + copy for copy in copies]}}


@pytest.mark.parametrize(
    ("accepted", "unknown", "copies"),
    [(1, 0, 1), (0, 0, 0), (1, 1, 1), (1, 1, 2), (0, 1, 0), (0, 1, 1)],
)
def test_what_the_rule_allows(accepted: int, unknown: int, copies: int) -> None:
    letter = sent(accepted, unknown)
    assert judge([letter], read(letter, *[letter.data] * copies)).wrong() == []


@pytest.mark.parametrize(("accepted", "unknown", "copies"), [(1, 0, 2), (1, 1, 3), (0, 0, 1)])
def test_one_copy_too_many(accepted: int, unknown: int, copies: int) -> None:
    letter = sent(accepted, unknown)
    figures = judge([letter], read(letter, *[letter.data] * copies)).figures()
    assert figures == {"lost": 0, "altered": 0, "duplicated": 1}


@pytest.mark.parametrize("unknown", [0, 1])
def test_a_letter_that_is_nowhere(unknown: int) -> None:
    letter = sent(1, unknown)
    assert judge([letter], read(letter)).figures() == {"lost": 1, "altered": 0, "duplicated": 0}


def test_a_good_letter_refused_for_good_is_lost_to_its_sender() -> None:
    letter = sent(0, refused="550 5.1.1")
    assert judge([letter], read(letter)).figures()["lost"] == 1


def test_a_letter_in_somebody_elses_mailbox() -> None:
    letter = sent()
    verdict = judge([letter], read(letter, letter.data, owner=BAR))
    assert len(verdict.lost) == 1 and BAR in verdict.duplicated[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b".hidden", b"hidden"),
        (b"end \r\n", b"end\r\n"),
        (b"Subject: L", b"Subject: l"),
        (b"\r\n\r\n", b"\r\n"),
        (b"x" * 990, b"x" * 980),
    ],
)
def test_a_changed_byte(old: bytes, new: bytes) -> None:
    letter = sent()
    assert old in letter.data
    verdict = judge([letter], read(letter, letter.data.replace(old, new, 1)))
    assert verdict.figures() == {"lost": 0, "altered": 1, "duplicated": 0}
    assert "sent" in verdict.altered[0]


def test_what_stands_above_the_first_line_is_not_the_senders() -> None:
    letter = sent()
    assert mark_of(TRACE + letter.data) == letter.mark
    assert mark_of(b"Subject: something else\r\n\r\nText\r\n") == ""
