"""Amavis and the SpamAssassin inside it: files that their own program has read before they go live."""

from operations import preview
from operations.base import Commands, changing, writes
from operations.files import differs, put_command

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


@writes("{path}")
@changing
def part(path: str, text: str) -> Commands:
    """A part of Amavis's configuration, a file of Perl in conf.d (/usr/share/doc/amavisd-new/README.Debian.gz)."""
    if differs(path, text):
        preview.change(path, "", text)
        yield put_command(path, text, check=CHECK_PART)


@writes(RULES)
@changing
def rules(text: str) -> Commands:
    """Settings of SpamAssassin's, which it has read without a complaint
    (https://spamassassin.apache.org/full/4.0.x/doc/spamassassin-run.html)."""
    if differs(RULES, text):
        preview.change(RULES, "", text)
        yield put_command(RULES, text, check=CHECK_RULES)
