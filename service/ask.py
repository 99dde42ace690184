"""
Asks a running server about an alert and prints the answer: `python -m service.ask ADDRESS FILE`.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from service.render import answer_text


def main(address: str, file: str) -> int:
    """
    Exit 0 when answered.
    """
    body = Path(file).read_bytes()
    request = urllib.request.Request(f"{address}/v1/context", body, {"content-type": "application/json"})  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        print(f"{address} answered {error.code}: {error.read().decode()[:500]}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{address} cannot be reached: {error}", file=sys.stderr)
        return 1
    print(answer_text(found))
    print(f"\n{address}/answers/{found['answer_id']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
