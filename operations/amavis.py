"""Amavis and the SpamAssassin inside it: files that their own program has read before they go live."""

from operations.base import Commands, changing
from operations.files import written

# All of the configuration with the candidate in the place of its old self. The candidate's name has a dot in it, so
# Debian's Amavis never takes it for a part of its own.
CHECK_PART = """set --
for file in /usr/share/amavis/conf.d/* /etc/amavis/conf.d/*; do
    case $file in "$path") file=$new ;; "$path".*) continue ;; esac
    set -- "$@" -c "$file"
done
case "$*" in *"$new"*) ;; *) set -- "$@" -c "$new" ;; esac
amavisd "$@" test-config >&2"""
CHECK_RULES = """site=$(mktemp -d)
trap 'rm -rf "$site" "$new"' EXIT
cp -a /etc/spamassassin/. "$site"
cat "$new" >"$site/mailroom.cf"
spamassassin --siteconfigpath="$site" --lint >&2"""
RULES = "/etc/spamassassin/mailroom.cf"


@changing(writes="{dest}")
def part(dest: str, text: str) -> Commands:
    """A part of Amavis's configuration that amavisd has read, among all others, before it goes live.

    + dest: its path in conf.d (/usr/share/doc/amavisd-new/README.Debian.gz says which is read when)
    + text: Perl

    **Example:** ``amavis.part(dest="/etc/amavis/conf.d/60-local", text="$max_servers = 2;\\n1;")``
    """
    yield from written(dest, text, check=CHECK_PART)


@changing(writes=RULES)
def rules(text: str) -> Commands:
    """Settings of SpamAssassin's, which it has read without a complaint
    (https://spamassassin.apache.org/full/4.0.x/doc/spamassassin-run.html).

    + text: lines of a file in /etc/spamassassin

    **Example:** ``amavis.rules(text="required_score 6.0")``
    """
    yield from written(RULES, text, check=CHECK_RULES)
