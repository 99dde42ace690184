"""
Alerts of any of the written forms are asked about with all that they say, and never with what names the answer.
"""

from __future__ import annotations

import json
from pathlib import Path

from service.evaluation.frame import Lab
from service.evaluation.owners import predict, score

FLAT = [
    {"id": f"{service}-{number}", "service": service, "name": f"{service.title()} {symptom}", "query": f"{service}_{symptom}_total > 1",
     "description": f"{symptom} of {service} rise"}
    for number, symptom in enumerate(("errors", "latency", "restarts", "timeouts", "backlog"))
    for service in ("kafka", "nginx", "redis")
]  # fmt: skip


def test_flat_rows_are_asked_with_name_query_and_description(tmp_path: Path) -> None:
    (tmp_path / "alerts.jsonl").write_text("\n".join(json.dumps(row) for row in FLAT), encoding="utf-8")
    with Lab(tmp_path) as lab:
        predictions = list(predict(tmp_path, lab))
    measures, _ = score(tmp_path, predictions)
    assert measures["whole"]["service_top1"] == 1.0
    assert measures["whole"]["set_size"] == 1.0
