"""Pigeonhole compiles scripts."""

from checks.engine import Failed, Target, claim, negative

GOOD = 'require "fileinto"; fileinto "Junk";'
BROKEN = 'require "fileinto";\nfileinto;'
# By the file, as sievec would otherwise ask a running Dovecot for its settings.
COMPILE = (
    "folder=$(mktemp -d); cat > $folder/one.sieve; "
    "sievec -c /etc/dovecot/dovecot.conf $folder/one.sieve 2>&1; echo $?; rm -rf $folder"
)


@claim("Pigeonhole compiles a script", needs="ssh", remedy="See chapter 5, install.")
def compiles(target: Target) -> str:
    code, words = compiled(target, GOOD)
    if code != "0":
        raise Failed(words)
    return f"Pigeonhole of Dovecot {target.shell('dovecot --version')}"


@negative("It refuses a broken one, and names the line", needs="ssh", remedy="See chapter 5, install.")
def refuses(target: Target) -> str:
    code, words = compiled(target, BROKEN)
    if code == "0" or "line 2" not in words:
        raise Failed(words or "compiled")
    return words[words.index("line 2") :].partition(":")[2].strip() or words


def compiled(target: Target, script: str) -> tuple[str, str]:
    """sievec's exit code and words."""
    found = target.shell(f"printf '%s' '{script}' | {{ {COMPILE}; }}").splitlines()
    return found[-1], " ".join(found[:-1])
