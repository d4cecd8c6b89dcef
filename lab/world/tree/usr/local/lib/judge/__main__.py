"""judge FILE | judge '<Message-ID>': the findings and the verdict as JSON; exit 3 and a sentence where there is no letter to judge."""

import json
import socket
import sys
from pathlib import Path

from judge import findings, letter, rules


def main(words: list[str]) -> int:
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        path = Path(words[0]) if words[0].startswith("/") else letter.find(words[0])
        found = letter.read(path, socket.gethostname())
    except letter.NotJudged as error:
        print(error, file=sys.stderr)
        return 3
    judged = findings.all_of(found)
    told = {"message_id": found.message_id, "path": found.path, **judged, "verdict": rules.verdicts(judged)}
    print(json.dumps(told, indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
