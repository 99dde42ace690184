"""
Asks about past incidents and alerts of a real organisation and prints the answers, to be read by eye.

    .venv/bin/python -m tests.quality.read_answers ORGANISATION [COUNT]     (of tests/quality/organisations)

The question is what the tool sent, or what was first noticed; never the cause, the resolution or the timeline.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from graph.opening import open_store
from graph.values import Alert
from ingest.parsing import parse_time
from ingest.pipeline import ingest
from ingest.sources import read_sources
from service.context import Question, assemble
from service.render import answer_text
from service.settings import read_settings
from service.wiring import open_memory

HERE = Path(__file__).parent / "organisations"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def main(name: str, count: int = 10) -> None:
    """
    Ingest, ask, print.
    """
    with tempfile.TemporaryDirectory() as data:
        sources = [
            replace(source, path=str(SHARED / name / Path(source.path).relative_to(HERE)))
            for source in read_sources(HERE / f"{name}.toml")
        ]
        store = open_store(f"sqlite:///{data}")
        ingest(store, sources)
        store.close()
        settings = read_settings(flags={"data": data, "part_budget_ms": 5000})
        memory = open_memory(settings)
        memory.follow()
        for alert, known in questions(name, count):
            print("=" * 100)
            print(known)
            answer = assemble(memory, Question(alert=alert, as_of=alert.at))
            print(answer_text(answer))
        memory.close()


def questions(name: str, count: int) -> Iterator[tuple[Alert, str]]:
    """
    Alerts to ask about, each with what is known of its end.
    """
    incidents = SHARED / name / "incidents.jsonl"
    if incidents.is_file():
        rows = [json.loads(line) for line in incidents.read_text(encoding="utf-8").split("\n") if line]
        zone = "Europe/London" if name.startswith("moj") else "UTC"
        for row in rows[-1 :: -max(1, len(rows) // count)][:count]:
            yield _alert(row, zone), _known(row)
    else:
        yield from _rules(SHARED / name, count)


def _alert(row: Mapping[str, object], zone: str) -> Alert:
    at = _moment(row, zone)
    text = row.get("triggering_alert") or row.get("identified") or row.get("title")
    name = str(text).split("\n")[0].split(" | ")[0][:150]
    texts = {"description": str(text), "impact": str(row.get("impact") or "")}
    return Alert(id=str(row["id"]), name=name, at=at, annotations={key: value for key, value in texts.items() if value})


def _moment(row: Mapping[str, object], zone: str) -> datetime:
    """
    When it was first noticed, as exactly as the document says; of a bare day, its evening.
    """
    exact = row.get("first_detected") or row.get("declared")
    if exact:
        return parse_time(exact, zone)
    day = parse_time(row["date"])
    started = re.search(r"started: (\w+ \d+, \d+) at (\d+:\d+[AP]M) UTC", str(row.get("triggering_alert")))
    if started:
        for form in ("%b %d, %Y %I:%M%p", "%B %d, %Y %I:%M%p"):
            with suppress(ValueError):
                return datetime.strptime(f"{started[1]} {started[2]}", form).replace(tzinfo=UTC)
    began = re.match(r"\w+ (\d+) at (\d+):(\d+)", str(row.get("impact_time")))
    if began:
        return day.replace(day=int(began[1]), hour=int(began[2]), minute=int(began[3]))
    return day + timedelta(hours=20)


def _known(row: Mapping[str, object]) -> str:
    kept = ("id", "title", "cause", "resolution", "summary", "context", "what_happened")
    return "\n".join(f"# {key}: {str(row[key])[:600]}" for key in kept if row.get(key))


def _rules(folder: Path, count: int) -> Iterator[tuple[Alert, str]]:
    """
    Each alert as if it fired at the moment of a rollback.
    """
    alerts = [json.loads(line) for line in (folder / "alerts.jsonl").read_text(encoding="utf-8").split("\n") if line]
    backs = [json.loads(line) for line in (folder / "rollbacks.jsonl").read_text(encoding="utf-8").split("\n") if line]
    for place, row in enumerate(alerts[:: max(1, len(alerts) // count)][:count]):
        back = backs[-1 - place * 7 % len(backs)]
        rule = row["alert"]
        at = parse_time(back["ts"])
        yield (
            Alert(
                id=row["id"], name=rule["alert"], at=at, expr=rule["expr"], labels=rule.get("labels", {}),
                annotations=rule.get("annotations", {}),
            ),
            f"# {row['id']} at the rollback of {back['app']} ({', '.join(back['culprit_deploys'])})",
        )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10)
