"""
Where the known alerts are regular, the same evidence makes an answer surer; where they are not, less sure.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from graph.values import Alert, AlertRule
from models.known import Known, bag_of
from models.parameters import load
from models.resolution import LISTED
from models.sharpness import sharpness
from tests.unit.models.test_names_and_resolution import SERVICES, VIEW, resolver

WEIGHTS = load("resolution").numbers("alert")
SYMPTOMS = ("latency", "errors", "queue", "memory", "restarts", "backlog", "timeouts", "saturation")


def rule(number: int, service: str, metric: str, symptom: str) -> AlertRule:
    return AlertRule(
        id=f"r{number}", name=f"{metric}{symptom.title()}{number}", expr=f"{metric}_{symptom}_total > {number}",
        annotations={"summary": f"too many {symptom}"}, services=(f"service:{service}",),
    )  # fmt: skip


def rules(regular: bool) -> list[AlertRule]:
    rng = random.Random(1)
    metrics = {service: f"m{place}x" for place, service in enumerate(SERVICES)}
    found = []
    for number, symptom in enumerate(SYMPTOMS * 5):
        service = SERVICES[number % len(SERVICES)]
        whose = service if regular else rng.choice(SERVICES)
        found.append(rule(number, service, metrics[whose], symptom))
    return found


def known(found: list[AlertRule]) -> Known:
    return Known.fit([(bag_of(one.name, one.expr, {}, one.annotations), one.services[0], "r") for one in found])


def test_regular_alerts_are_trusted_more_than_irregular_ones() -> None:
    assert sharpness((), WEIGHTS) == 1.0
    assert sharpness(known(rules(regular=True)).trials, WEIGHTS) > 1.1
    assert sharpness(known(rules(regular=False)).trials, WEIGHTS) < 0.9


def test_a_trial_is_what_the_others_alone_say() -> None:
    """
    Against the model that never saw the alert; its words are a little rarer and its base rates lower.
    """
    found = rules(regular=True)
    whole = known(found)
    for at in range(0, len(found), 7):
        rest = known([one for one in found if one.name != found[at].name])
        one = found[at]
        verdict = rest.judge(bag_of(one.name, one.expr, {}, one.annotations))
        trial = whole.trials[at]
        assert rest.classes[trial.right] == one.services[0]
        np.testing.assert_allclose(trial.rows[:, 0], [verdict.values[label] for label in rest.classes], atol=0.1)
        np.testing.assert_allclose(trial.nearest, verdict.nearest, atol=0.1)


def test_a_name_that_a_class_has_to_itself_is_no_trial() -> None:
    one = rule(1, "checkout", "alone", "latency")
    assert known([one]).trials == ()


def test_services_that_are_hardly_likely_are_not_listed(tmp_path: Path) -> None:
    asked = Alert(
        id="a", name="m1xErrors", at=datetime(2026, 5, 1, tzinfo=UTC), expr="m1x_errors_total > 3",
        annotations={"summary": "too many errors"},
    )  # fmt: skip
    ranking = resolver(tmp_path, *rules(regular=True)).resolve(asked, VIEW)
    assert ranking.candidates[0].id == f"service:{SERVICES[1]}"
    assert ranking.candidates[0].probability > 0.9
    assert all(one.probability >= LISTED for one in ranking.candidates)
    assert sum(one.probability for one in ranking.candidates) + ranking.none_probability <= 1.0 + 1e-6
