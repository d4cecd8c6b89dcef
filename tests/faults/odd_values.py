"""Values for an inventory that somebody might write, or the command line hand over: right, nearly right, and nothing like it."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

from deploys.knobs import Knobs, defaults


class Unshowable:
    """Something that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no form")


LINE_ENDS = ("\n", "\r\n", "\0", " ", "\u2028", "\x7f", "\ud800", "\u00a0")
NAMES = (
    *(
        "mx1.example.test",
        "MX1.Example.Test",
        "mx1.example.test.",
        "mx1",
        "localhost",
        "localhost.example.test",
        "a.b",
        "",
    ),
    *(
        "example.test",
        "Example.Test",
        "example.org",
        "sub.example.test",
        "example.test.",
        ".example.test",
        "example..test",
    ),
    *(
        "-a.test",
        "a-.test",
        "a_b.test",
        "192.0.2.1",
        "::1",
        "[192.0.2.1]",
        "1.2",
        "bücher.example",
        "xn--bcher-kva.example",
    ),
    *(
        "xn--a.example",
        "exam\u212ale.test",
        "example.te\u017ft",
        "*.example.test",
        "a" * 64 + ".test",
        ".".join(["a" * 60] * 4),
    ),
    *(
        ".".join(["b" * 63] * 4),
        "example.test; reboot",
        "example.test example.org",
        "$mydomain",
        "@{mail_domain}",
        "%d",
    ),
)
LOCALS = (
    "foo",
    "Foo",
    "f.o-o_1",
    "foo+news",
    ".foo",
    "foo.",
    "fo..o",
    "-f",
    "a'b",
    '"a b"',
    "x" * 64,
    "x" * 65,
    "",
    "föö",
    "*",
)
PATHS = (
    *(
        "/home/mail",
        "/srv/mail",
        "//",
        "/",
        "/etc",
        "/etc/mail",
        "//home/mail",
        "/home/mail/",
        "/home/./mail",
        "/home/../etc",
    ),
    *(
        "/var/mail",
        "/var/vmail",
        "/tmp/m",
        "home/mail",
        "~/mail",
        "/home/m ail",
        "/home/m'ail",
        "/home/%d",
        "/a" * 200,
        "/x" + "y" * 300,
    ),
    *(
        "/etc/postfix/certs/cert.pem",
        "/etc/postfix/certs/key.pem",
        "/cert.pem",
        "/etc/ssl/private/key.pem",
        "/home/mail/key.pem",
    ),
)
OWNERS = (
    "vmail",
    "mail",
    "root",
    "dovenull",
    "_chrony",
    "systemd-network",
    "amavis",
    "virtual",
    "VMAIL",
    "v" * 32,
    "1000",
    "a b",
    "-v",
)
WORDS = (
    "yes",
    "no",
    "on",
    "off",
    "TRUE",
    "False",
    "None",
    "null",
    "0",
    "1",
    "2",
    "maybe",
    "y",
    "5",
    "5.0",
    "1e3",
    "[]",
    "{}",
)
NUMBERS = (0, 1, -1, 2, 7, 99, 100, 200, 59999, 60000, 65536, 26214400, 10**9, 10**12, 2**31, 2**63, 10**400)
FLOATS = (0.0, 0.5, 1.0, 5.0, 30.0, 104857600.0, 1e12, 1e308, float("nan"), float("inf"), float("-inf"))

words = st.sampled_from((*NAMES, *PATHS, *OWNERS, *WORDS))
names = st.one_of(
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(LINE_ENDS)).map("".join),
    st.text(string.ascii_letters + string.digits + ".-_", max_size=80),
)
addresses = st.one_of(
    st.tuples(st.sampled_from(LOCALS), st.just("@"), names).map("".join),
    st.tuples(
        st.text(string.ascii_lowercase + string.digits + "._-", min_size=1, max_size=70), st.just("@example.test")
    ).map("".join),
)
nothing_like_it = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from(NUMBERS),
        st.just(5000).map(lambda digits: 10**digits),  # more than Python prints
        st.integers(),
        st.sampled_from(FLOATS),
        st.floats(),
        st.text(max_size=20),
        words,
        st.binary(max_size=8),
        st.builds(Unshowable),
        st.builds(object),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=8), st.integers(), st.none()), inner, max_size=3),
    ),
    max_leaves=5,
)
people = st.lists(
    st.one_of(
        addresses,
        st.fixed_dictionaries({"email": addresses}, optional={"name": st.text(max_size=30)}),
        st.dictionaries(st.sampled_from(("email", "name", "nam", "password", 3)), nothing_like_it, max_size=3),
    ),
    max_size=4,
)
aliases = st.dictionaries(addresses, st.one_of(addresses, st.lists(addresses, max_size=3)), max_size=4)
fractions = st.one_of(st.integers(-10, 200), st.floats(-10, 20000), st.sampled_from(FLOATS))
nearly: dict[str, st.SearchStrategy[Any]] = {
    "mail_hostname": names,
    "mail_domains": st.lists(names, max_size=4),
    "mail_users": people,
    "mail_aliases": aliases,
    "mail_postmaster": addresses,
    "mail_owner": st.one_of(st.sampled_from(OWNERS), st.text(string.ascii_lowercase + "_-1", max_size=33)),
    "mail_home": st.sampled_from(PATHS),
    "tls_certificate": st.sampled_from(PATHS),
    "tls_key": st.sampled_from(PATHS),
    "time_sources": st.lists(names, max_size=3),
    "virus_signatures": st.lists(
        st.sampled_from(("0" * 32 + ":1:Name", "0" * 32 + ":*:N", "Name:0:*:" + "ab" * 9, "x", 3)), max_size=2
    ),
}


def value(knob: str) -> st.SearchStrategy[Any]:
    """What somebody may write for this knob."""
    right = st.just(defaults()[knob])
    near = nearly.get(
        knob, st.one_of(st.sampled_from(WORDS), st.sampled_from(NUMBERS), st.integers(0, 70000), fractions)
    )
    return st.one_of(right, near, near, nothing_like_it)


inventories = st.fixed_dictionaries(
    {}, optional={knob: value(knob) for knob in Knobs.model_fields if not knob.endswith("_file")}
)
one_knob = st.sampled_from([name for name in Knobs.model_fields if not name.endswith("_file")]).flatmap(
    lambda knob: st.fixed_dictionaries({knob: value(knob)})
)
