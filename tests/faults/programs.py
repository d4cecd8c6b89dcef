"""Archives that the mail host makes with programs of its own; they are there because Amavis unpacks with them."""

import base64
from collections.abc import Iterator

from checks.clients.samples import EICAR
from lab import Host

# Made by programs of the mail host's own, which are there because Amavis unpacks with them.
SEVEN = "z=$(command -v 7z || command -v 7zz)"  # Debian 12 has it by the second name
PROGRAMS = {
    "7z": "$z a -bd -y out.7z eicar.txt >/dev/null; cat out.7z",
    "7z, sealed": "$z a -bd -y -psecret out.7z eicar.txt >/dev/null; cat out.7z",
    "7z, its names sealed too": "$z a -bd -y -psecret -mhe=on out.7z eicar.txt >/dev/null; cat out.7z",
    "zip, sealed": "$z a -bd -y -tzip -psecret out.zip eicar.txt >/dev/null; cat out.zip",
    "zip, sealed with AES": "$z a -bd -y -tzip -mem=AES256 -psecret out.zip eicar.txt >/dev/null; cat out.zip",
    "zip, half of it sealed": "echo x >a.txt; $z a -bd -y -tzip out.zip a.txt >/dev/null; "
    "$z a -bd -y -tzip -psecret out.zip eicar.txt >/dev/null; cat out.zip",
    "zip, deflate64": "$z a -bd -y -tzip -mm=Deflate64 out.zip eicar.txt >/dev/null; cat out.zip",
    "zip, lzma": "$z a -bd -y -tzip -mm=LZMA out.zip eicar.txt >/dev/null; cat out.zip",
    "wim": "$z a -bd -y -twim out.wim eicar.txt >/dev/null; cat out.wim",
    "arj": "arj a out.arj eicar.txt >/dev/null; cat out.arj",
    "arj, sealed": "arj a -gsecret out.arj eicar.txt >/dev/null; cat out.arj",
    "lz4": "lz4 -q -c eicar.txt",
    "lzo": "lzop -c eicar.txt",
    "zst": "zstd -q -c eicar.txt",
    "lrz": "lrzip -q -o out.lrz eicar.txt; cat out.lrz",
    "iso": "bsdtar -cf - --format iso9660 eicar.txt",
    "xar": "bsdtar -cf - --format xar eicar.txt",
    "cpio": "bsdtar -cf - --format newc eicar.txt",
    "ar": "bsdtar -cf - --format gnutar eicar.txt >data.tar; echo 2.0 >debian-binary; bsdtar -cf - --format arbsd debian-binary data.tar",
    "Z": "bsdtar -cf - --compress eicar.txt",
    "lzip": "bsdtar -cf - --lzip eicar.txt",
}


def from_programs(host: Host, only: set[str]) -> Iterator[tuple[str, bytes]]:
    for name, command in PROGRAMS.items():
        if name in only:
            done = host.run(
                f'{SEVEN}; d=$(mktemp -d); cd "$d"; base64 -d >eicar.txt; {{ {command}; }} | base64 -w0; rm -r "$d"',
                stdin=base64.b64encode(EICAR).decode(),
            )
            yield name, base64.b64decode(done.stdout)
