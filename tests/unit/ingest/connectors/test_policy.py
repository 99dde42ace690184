"""
Files of rules: every mistake is named by its path, and a file counts whole or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graph.values import Fact, FactKind, Record
from ingest.connectors._rules import written
from ingest.connectors.policy import split, transform
from ingest.errors import BadRecord

META = {"path": "rules.yaml"}


def record(text: str) -> Record:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    return Record(
        id="r", source="rules", connector="policy", part="rules.yaml", body=text, digest="", received_at=at, meta=META
    )  # fmt: skip


def rule(text: str) -> str:
    return f"rules: [{{name: one, {text}}}]"


def test_each_rule_is_a_fact_that_reads_back_as_it_was() -> None:
    text = 'zone: Europe/London\nrules: [{name: one, verdict: refuse, valid: {from: "2026-06-01"}}, {name: two, mode: act}]'
    facts = [one for one in transform(record(text)) if isinstance(one, Fact)]
    assert [(one.kind, one.subject, one.object) for one in facts] == [
        (FactKind.POLICY, "policy:one", "rules.yaml"), (FactKind.POLICY, "policy:two", "rules.yaml"),
    ]  # fmt: skip
    assert facts[0].valid.start == datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert written(facts[0].attributes["rule"], "rules.yaml").rule.name == "one"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "write one document with `rules`"),
        ("rules: []", "rules.yaml.rules: write a list of rules"),
        ("rules: [{name: one, verdict: refuse}]\nzone: Nowhere/At", "rules.yaml.zone: 'Nowhere/At' is not a time zone"),
        ("rules: [{name: one, verdict: refuse}, {name: one, mode: act}]", "rules[1].name: 'one' stands twice"),
        (rule("verdit: allow"), "rules[0].verdit: there is no such field; did you mean `verdict`?"),
        (rule("verdict: maybe"), "rules[0].verdict: 'maybe' is none of allow, needs_approval, refuse"),
        (rule("says: nothing"), "rules[0]: the rule says nothing"),
        (rule("mode: act, when: {actoins: [restart]}"), "rules[0].when.actoins"),
        (rule("mode: act, when: {actions: []}"), "rules[0].when.actions: write a list of names"),
        (rule("mode: act, when: {actions: [restart, 7]}"), "rules[0].when.actions[1]: '7' is no text"),
        (rule("mode: act, when: {during: [{days: [sol]}]}"), "rules[0].when.during[0].days[0]: 'sol' is none of mon"),
        (rule("mode: act, when: {during: [{days: [mon], from: 25:00}]}"), "during[0].from: '1500' is no time of day"),
        (rule('mode: act, when: {during: [{from: "2026-01-02", to: "2026-01-01"}]}'), "during[0]: it ends before"),
        (rule("mode: act, when: {during: [{from: soon, to: later}]}"), "when.during[0].from"),
        (rule("limits: {}"), "rules[0].limits: write fields below it"),
        (rule("limits: {beyond: refuse}"), "rules[0].limits: it limits nothing"),
        (rule("limits: {dependents: 2, beyond: allow}"), "limits.beyond: `allow` would make it no limit"),
        (rule("limits: {dependents: -1}"), "rules[0].limits.dependents: '-1' is no whole number"),
        (rule("verdict: allow, approval: {by: [anybody]}"), "approval.by[0]: 'anybody' is none of owner"),
        (rule("verdict: allow, examples: [{ask: {action: x}}]"), "examples[0].verdict: what is expected?"),
        (rule("verdict: allow, examples: [{ask: {act: x}, verdict: allow}]"), "examples[0].ask.act"),
    ],
)
def test_a_mistake_is_named_by_its_path(text: str, says: str) -> None:
    pieces = list(split(text.encode(), META))
    assert len(pieces) == 1
    assert says in pieces[0].problem


def test_a_rule_that_some_cannot_see_is_none() -> None:
    hidden = replace(record("rules: [{name: one, verdict: refuse}]"), visibility=frozenset({"secret"}))
    with pytest.raises(BadRecord, match="rules hold for everybody"):
        list(transform(hidden))
