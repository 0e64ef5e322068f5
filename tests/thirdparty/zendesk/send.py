"""Send a recorded delivery to a connector's address: send.py URL payloads/ticket_created.json."""

import json
import sys
from pathlib import Path
from urllib.request import Request, urlopen

address, file = sys.argv[1:]
kept = json.loads(Path(file).read_text())
with urlopen(Request(address, kept["body"].encode(), kept["headers"])) as answer:
    print(answer.status, answer.read().decode())  # noqa: T201 - a program for people
