"""Debian's Thunderbird on a lab host, without a screen: keys are typed as a person types them, and pictures show what it said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab import Host
from tests.live.support import packages
from tests.live.traffic import until

FOLDER, DISPLAY = "/root/thunderbird", ":7"
POLICIES = "/etc/thunderbird/policies/policies.json"
# No page of its maker's, which is out of reach here; no question before a letter goes; and a cursor that keeps still for pictures.
PREFERENCES = """user_pref("mailnews.start_page.enabled", false);
user_pref("app.donation.eoy.version.viewed", 999);
user_pref("datareporting.policy.bypassNotification", true);
user_pref("mail.warn_on_send_accel_key", false);
user_pref("ui.caretBlinkTime", 0);
"""
BEGIN = f"""mkdir -p {FOLDER}/profile
cat >{FOLDER}/profile/user.js
cd {FOLDER}; export HOME={FOLDER} DISPLAY={DISPLAY}
nohup Xvfb {DISPLAY} -screen 0 1152x900x24 >x.log 2>&1 </dev/null & echo $! >pids
sleep 1
nohup thunderbird --no-remote --profile {FOLDER}/profile >log 2>&1 </dev/null & echo $! >>pids
"""
END = f"xargs kill <{FOLDER}/pids; sleep 1; rm -rf {FOLDER} {POLICIES}"


@dataclass
class Thunderbird:
    host: Host

    def do(self, *words: str, stdin: str = "") -> str:
        return self.host.run(["env", f"DISPLAY={DISPLAY}", "xdotool", *words], stdin=stdin, check=False).stdout.strip()

    def type(self, text: str) -> None:
        """On standard input, since it may be a password."""
        self.do("type", "--delay", "25", "--file", "-", stdin=text)

    def window(self, name: str) -> str:
        """The id of a window with such a name, which then has the keys."""
        found = until(lambda: self.do("search", "--onlyvisible", "--name", name), f"a window {name}").split()[-1]
        self.do("windowfocus", "--sync", found)
        return found

    def settled(self) -> None:
        """Nothing moves any more."""
        seen: list[str] = []

        def still() -> bool:
            shown = self.host.run(f"DISPLAY={DISPLAY} import -window root rgba:- | sha256sum; sleep 0.7").stdout
            seen.append(shown)
            return len(seen) > 3 and len({*seen[-4:]}) == 1

        until(still, "the window keeps still", patience=90)

    def saved(self) -> str:
        """Its settings, as it has written them down."""
        return self.host.run(f"cat {FOLDER}/profile/prefs.js", check=False).stdout

    def picture(self, name: str) -> None:
        self.host.run(f"DISPLAY={DISPLAY} import -window root /root/{name}.png")


@contextmanager
def running(host: Host, authority: str) -> Iterator[Thunderbird]:
    """It trusts this authority's certificate, a file; afterwards nothing of it is left."""
    packages(host, "thunderbird", "xvfb", "xdotool", "imagemagick")
    policies = {
        "policies": {"Certificates": {"Install": [authority]}, "DisableAppUpdate": True, "DisableTelemetry": True}
    }
    host.run(f"mkdir -p $(dirname {POLICIES}); cat >{POLICIES}", stdin=json.dumps(policies))
    host.run(f"rm -rf {FOLDER}; {BEGIN}", stdin=PREFERENCES)
    try:
        yield Thunderbird(host)
    finally:
        host.run(END, check=False)
