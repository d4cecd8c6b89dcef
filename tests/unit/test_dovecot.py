"""dovecot.conf: the two languages and the marked blocks."""

import pytest

from operations.dovecot import INCLUDES, dialect, with_block

STOCK = "dovecot_config_version = 2.4.0\n!include conf.d/*.conf\n!include_try local.conf\n"


@pytest.mark.parametrize(
    ("version", "language"),
    [((2, 4, 1), "2.4"), ((2, 4, 0), "2.4"), ((2, 3, 19), "2.3"), ((2, 3, 4), "2.3"), (None, "2.4")],
)
def test_dialect(version: tuple[int, ...] | None, language: str) -> None:
    assert dialect(version) == language


@pytest.mark.parametrize("version", [(2, 2, 36), (2, 5, 0), (3, 0, 0)])
def test_an_unknown_dovecot_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="that mailroom speaks"):
        dialect(version)


def test_a_block_is_added_at_the_end_and_once() -> None:
    once = with_block(STOCK, "tls", "ssl = required")
    assert once.startswith(STOCK.rstrip()) and once.count("ssl = required") == 1
    assert with_block(once, "tls", "ssl = required") == once


def test_a_block_is_replaced_where_it_stands() -> None:
    two = with_block(with_block(STOCK, "tls", "ssl = yes"), "greeting", "login_greeting = hi")
    new = with_block(two, "tls", r"path = \1 $mail_plugins")
    assert "ssl = yes" not in new and r"\1 $mail_plugins" in new
    assert new.index("mailroom: tls") < new.index("mailroom: greeting")


def test_names_that_begin_alike_are_two_blocks() -> None:
    both = with_block(with_block(STOCK, "tls", "a = 1"), "tls extra", "b = 2")
    assert with_block(both, "tls", "a = 3").count("b = 2") == 1


def test_includes_are_commented_out_once() -> None:
    off = INCLUDES.sub(r"#\1", STOCK)
    assert "\n#!include conf.d" in off and "\n#!include_try local.conf" in off
    assert INCLUDES.sub(r"#\1", off) == off
