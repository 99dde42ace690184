"""
Signals from a frozen incident's files, as a caller would make them from its own telemetry: log patterns that grew,
calls that fail, metrics that moved and since when. Nothing later than the alert is read.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean, median

from ingest.errors import BadRecord
from ingest.parsing import parse_time
from models.signals import Delta, Edge, Signals

Row = Mapping[str, object]

KNOWN = {"alert.json", "traces.json", "patterns.json", "ground_truth.json"}
MOST = 12
USUAL = 0.6
"""The share of a series, from its beginning, that shows what is usual."""
STEADY = 5
"""Values at the beginning that are always taken as usual."""


def signals_of(folder: Path, at: datetime) -> Signals:
    """
    What the folder's telemetry shows at the moment of the alert.
    """
    traces, patterns = rows_of(folder / "traces.json"), rows_of(folder / "patterns.json")
    return Signals(
        patterns=grown(patterns),
        edges=tuple(_edges(traces, at)),
        metrics=tuple(moved(folder / "metrics.csv", at)),
        notes=(*_notes(folder, at), *_errors(folder / "logs.ndjson", at)),
    )


def rows_of(path: Path) -> list[Row]:
    """
    The objects of a JSON list; nothing where there is no such file.
    """
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def grown(patterns: Sequence[Row]) -> tuple[tuple[str, str, float], ...]:
    """
    Log patterns that grew and sound bad, most first.
    """
    rows = []
    for row in patterns:
        told = str(row.get("delta_vs_baseline", "0"))
        digits = "".join(char for char in told if char.isdigit() or char == ".")
        growth = float(digits) if digits.strip(".") and not told.startswith("-") else 0.0
        if row.get("sentiment") == "negative" and growth > 0:
            rows.append((str(row.get("service")), str(row.get("signature")), growth))
    return tuple(sorted(rows, key=lambda one: -one[2])[:MOST])


def failed(span: Row) -> bool:
    """
    Whether a span ended with an error.
    """
    return str(span.get("status", "")).upper() not in ("OK", "UNSET", "")


def _edges(traces: Sequence[Row], at: datetime) -> Iterator[Edge]:
    services = {(str(span.get("span_id"))): str(span.get("service")) for span in traces}
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for span in traces:
        if _time(span.get("start"), at) <= at:
            found[services.get(str(span.get("parent_id")), ""), str(span.get("service"))].append(span)
    for (caller, callee), spans in found.items():
        bad = [span for span in spans if failed(span)]
        words = {
            f"{span.get('name', '')} {span.get('error') or span.get('status_message') or ''}".strip() for span in bad
        }
        since = min((_time(span.get("start"), at) for span in bad), default=None)
        yield Edge(caller=caller, callee=callee, failed=len(bad), text="; ".join(sorted(words)[:3]), since=since)


def _time(value: object, default: datetime) -> datetime:
    try:
        return parse_time(value)
    except BadRecord:
        return default


def _notes(folder: Path, at: datetime) -> Iterator[str]:
    """
    What other files say beside the usual ones: a status page's feed.
    """
    for path in sorted(folder.glob("*.json")):
        if path.name in KNOWN:
            continue
        body = json.loads(path.read_text(encoding="utf-8"))
        events = body.get("events") if isinstance(body, dict) else body
        for event in events if isinstance(events, list) else [body]:
            moment = event.get("timestamp") if isinstance(event, dict) else None
            if moment is None or _time(moment, at) <= at:
                yield f"status page: {json.dumps(event, ensure_ascii=False)[:1000]}"


def _errors(path: Path, at: datetime) -> Iterator[str]:
    """
    The first error of each service with where in the code it happened.
    """
    seen: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        row = json.loads(line)
        bad = str(row.get("severity_text", "")).upper() in ("ERROR", "FATAL", "CRITICAL", "WARN", "WARNING")
        key = f"{row.get('service')} {''.join(char for char in str(row.get('msg', '')) if not char.isdigit())[:60]}"
        if bad and key not in seen and len(seen) < MOST and _time(row.get("timestamp"), at) <= at:
            seen.add(key)
            more = [str(row[name]) for name in row if "stack" in name or "exception" in name or "statement" in name]
            yield " ".join([str(row.get("msg", "")), *more])


def moved(path: Path, at: datetime) -> Iterator[Delta]:
    """
    Metrics that left what was usual for them, and since when.
    """
    series: dict[tuple[str, str], list[tuple[datetime, float]]] = defaultdict(list)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for row in csv.DictReader(lines):
        moment = _time(row.get("timestamp"), at)
        if moment <= at:
            series[row["service"], row["metric"]].append((moment, float(row["value"])))
    for (service, metric), points in series.items():
        if found := step(points):
            since, before, after = found
            yield Delta(service=service, metric=metric, before=round(before, 4), after=round(after, 4), since=since)


def step(points: Sequence[tuple[datetime, float]]) -> tuple[datetime, float, float] | None:
    """
    (since when, the usual value, the value at the end) of a series that left its usual range to stay; else None.
    """
    if len(points) < STEADY + 2:
        return None
    values = [value for _, value in points]
    usual = values[: max(STEADY, int(len(values) * USUAL))]
    centre = median(usual)
    spread = max(median(abs(value - centre) for value in usual) * 1.5, abs(centre) * 0.05, 1e-9)
    off = [abs(value - centre) > 6 * spread for value in values]
    if not off[-1]:
        return None
    start = len(off)
    while start and off[start - 1]:
        start -= 1
    return points[start][0], centre, fmean(values[-3:]) if len(values) - start >= 3 else values[-1]
