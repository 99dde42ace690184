"""
The fix is read out of prose with its words, or not at all.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from graph.values import FixAction, Incident, Record, SectionKind
from ingest.connectors.postmortems import CONNECTOR
from ingest.fixes.extraction import extract_fixes


@pytest.mark.parametrize(
    ("text", "action", "target"),
    [
        ("Rolled back `checkout` to 1.2.", FixAction.ROLLBACK, "checkout"),
        ("We reverted the DNS change and traffic recovered.", FixAction.REVERT, "DNS change"),
        ("Restarted the ingress controller pods.", FixAction.RESTART, "ingress controller pods"),
        ("Scaled `web` from 20 to 60 pods.", FixAction.SCALE, "web"),
        ("Turned the flag `home-v3` off.", FixAction.FLAG_OFF, "home-v3"),
        ("Failed over to the second provider.", FixAction.FAIL_OVER, "second provider"),
        ("Renewed the wildcard certificate.", FixAction.ROTATE, "wildcard certificate"),
    ],
)
def test_an_action_its_target_and_its_words(text: str, action: FixAction, target: str) -> None:
    fix = extract_fixes({SectionKind.RESOLUTION: text})[0]
    assert (fix.action, fix.quote, fix.worked) == (action, text, True)
    assert target in fix.target


def test_what_did_not_help_is_kept_as_such() -> None:
    found = extract_fixes(
        {SectionKind.RESOLUTION: "Restarting the nodes did not help. Rolled back the release and errors ended."}
    )
    assert [(fix.action, fix.worked) for fix in found] == [(FixAction.ROLLBACK, True), (FixAction.RESTART, False)]


@pytest.mark.parametrize(
    "text",
    ["We should restart it next time.", "", "The team met on Monday.", "Investigate larger nodes in the future."],
)
def test_plans_and_talk_are_no_fixes(text: str) -> None:
    assert extract_fixes({SectionKind.RESOLUTION: text}) == ()


def test_action_items_are_no_fixes() -> None:
    assert extract_fixes({SectionKind.ACTION_ITEMS: "- Rolled back the old chart\n- Restarted the docs site"}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Started right after upgrading the broker to 3.2.",
        "Whenever the volume type is edited, the brokers are restarted one after the other.",
        "On-call found that the heap was lowered from 8G to 2G by last week's release.",
        "The outage was caused by deleting the wrong route.",
        "The pool ran dry because the limit was reduced last week.",
        "The script wrongly targeted the billing cluster and deleted its queues.",
        "Somehow the toleration got removed, so nothing could be scheduled.",
        "The ingest pipeline had been paused for weeks.",
        "Errors began when the proxy was upgraded and the cache was cleared.",
        "The migration dropped an index that was still used.",
    ],
)
def test_a_cause_is_no_fix(text: str) -> None:
    assert extract_fixes({SectionKind.RESOLUTION: text}) == ()


@pytest.mark.parametrize(
    "text",
    [
        "A restart would've cured this in seconds.",
        "Had we known, restarting the broker could have helped.",
        "If we had reverted the release, the outage would have ended sooner.",
        "We wanted to see whether it was scaling up its workers one by one.",
        "Kubernetes restarted the pods automatically.",
        "The problem resolved itself.",
        "Users were told and the status page was updated.",
        "Remediation efforts include adding alerts and rotating keys.",
    ],
)
def test_what_was_not_done_is_no_fix(text: str) -> None:
    assert extract_fixes({SectionKind.RESOLUTION: text}) == ()


@pytest.mark.parametrize(
    ("text", "action", "target"),
    [
        ('The vendor wrote: "We restarted the billing gateway, which made it load its routes".', FixAction.RESTART, "billing gateway"),
        ("The edge routers, which sit before the farm, were rebooted by hand.", FixAction.RESTART, "edge routers"),
        ("Promtail is configured to not ship to the old store for now.", FixAction.CONFIGURE, "Promtail"),
        ("Explicitly setting the missing label restored the overlay network.", FixAction.RESTORE, "overlay network"),
        ("Queue memory is increased from 2 to 6 GiB.", FixAction.SCALE, "Queue memory"),
        ("To mitigate the lag, the team first removed the taint to let work be scheduled.", FixAction.CLEAR, "taint"),
        ("The bad rows were deleted and the job was then restarted.", FixAction.RESTART, "job"),
        ("Mitigated by cordoning and draining nodes one by one.", FixAction.OTHER, "nodes"),
        ("A restart of the leader broker was needed for the rest to join.", FixAction.RESTART, "leader broker"),
        ("The platform team carried out a rollback of the mesh chart to allow time for tests.", FixAction.ROLLBACK, "mesh chart"),
        ("Rolled out a fix to handle duplicate keys.", FixAction.PATCH, "duplicate keys"),
        ("The table had been lost, so we restored it from last night's copy.", FixAction.RESTORE, "table"),
        ("Explicitly adding an A record fixed the issue.", FixAction.CONFIGURE, "A record"),
        ("Disable the feature flag (fastCheckout) by hand.", FixAction.FLAG_OFF, "feature flag fastCheckout"),
        ("To raise the proxy's memory limit to that of the others.", FixAction.SCALE, "proxy's memory limit"),
        ("DNS was switched back to the old balancer.", FixAction.REVERT, "DNS"),
        ("The API token was updated in the vault.", FixAction.ROTATE, "API token"),
        ("Traffic was shifted to the second region.", FixAction.FAIL_OVER, "Traffic"),
        ("We waited for the provider to recover.", FixAction.WAIT, "provider"),
    ],
)  # fmt: skip
def test_the_action_is_the_verbs_and_the_target_what_it_acts_on(text: str, action: FixAction, target: str) -> None:
    fix = extract_fixes({SectionKind.RESOLUTION: text})[0]
    assert (fix.action, fix.target, fix.quote) == (action, target, text)


@pytest.mark.parametrize(
    "text", ["A hotfix was deployed manually.", "Restarting it cured everything; it worked.", "Fix applied."]
)
def test_no_target_is_better_than_a_silly_one(text: str) -> None:
    assert extract_fixes({SectionKind.RESOLUTION: text})[0].target == ""


@pytest.mark.parametrize(
    "text",
    [
        'The engineer wrote "half way through restarting the gateways and they are not having the intended effect".',
        "Restarted the gateways, but it made no difference.",
        "We doubled the quota. None of this worked.",
        "Restarted the gateways; that did not help.",
    ],
)
def test_what_had_no_effect_did_not_work(text: str) -> None:
    assert {fix.worked for fix in extract_fixes({SectionKind.RESOLUTION: text})} <= {False}


def test_of_two_halves_only_the_one_that_helped_worked() -> None:
    text = "Restarting the workers did not resolve it, nor did a rollback; turning off the importer did."
    found = extract_fixes({SectionKind.RESOLUTION: text})
    assert [(fix.action, fix.target, fix.worked) for fix in found] == [
        (FixAction.CONFIGURE, "importer", True),
        (FixAction.RESTART, "workers", False),
    ]
    assert all(fix.quote in text for fix in found)


def test_the_next_sentence_tells_whether_it_helped() -> None:
    told = extract_fixes(
        {SectionKind.CAUSE: "- The pool was edited to allow two more zones.\n- This resolved the problem"}
    )
    assert [(fix.target, fix.worked) for fix in told] == [("pool", True)]
    assert extract_fixes({SectionKind.CAUSE: "- The pool was edited to allow two more zones.\n- Lunch was had"}) == ()


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("### 2:35 PM\nOn-call restarted the scheduler", "On-call restarted the scheduler"),
        ("- 2024-03-02 11:20 UTC - Rolled back `web` to 4.1", "Rolled back `web` to 4.1"),
        ("9:05 AM All is slow\n9:20 AM We flushed the cache", "We flushed the cache"),
        ("**Resolution**: The cache was flushed.", "The cache was flushed."),
    ],
)
def test_a_quote_is_without_heading_or_clock(text: str, quote: str) -> None:
    assert [fix.quote for fix in extract_fixes({SectionKind.TIMELINE: text})] == [quote]


def test_a_list_after_what_resolved_it_is_the_fix() -> None:
    text = "All was slow. This was resolved by:\n\n1. Giving the brokers more memory\n2. Removing old topics"
    found = extract_fixes({SectionKind.SUMMARY: text})
    assert [(fix.action, fix.target) for fix in found] == [
        (FixAction.SCALE, "brokers"),
        (FixAction.CLEAR, "old topics"),
    ]


def test_plain_pages_have_headings_too() -> None:
    text = "Summary\nThe site was down.\n\nResolution\nOn-call renewed the lease.\n\nAction items\nRaised the limit."
    assert [fix.quote for fix in extract_fixes({SectionKind.OTHER: text})] == ["On-call renewed the lease."]


def read(text: bytes, path: str) -> list[Incident]:
    found = []
    for piece in CONNECTOR.split(text, {"path": path}):
        record = Record(
            id="r", source="s", connector="postmortems", part=piece.part, body=piece.body, digest="",
            received_at=datetime.now(UTC), meta={"path": path, **piece.meta},
        )  # fmt: skip
        found += [item for item in CONNECTOR.transform(record) if isinstance(item, Incident)]
    return found


def test_a_log_of_many_incidents_is_cut(shared: Path) -> None:
    path = shared / "samples/postmortems/moj.incident-log.2024.md"
    found = read(path.read_bytes(), path.name)
    assert len(found) >= 5
    assert all(incident.at and SectionKind.RESOLUTION in incident.sections for incident in found)
    assert len({incident.id for incident in found}) == len(found)


@pytest.mark.parametrize("organisation", ["2i2c", "moj-cloud-platform"])
def test_most_real_incidents_have_a_fix_in_their_own_words(shared: Path, organisation: str) -> None:
    path = shared / "data" / organisation / "incidents.jsonl"
    found = read(path.read_bytes(), path.name)
    with_fix = [incident for incident in found if any(fix.worked is not False for fix in incident.fixes)]
    assert len(with_fix) >= 0.85 * len(found)
    for incident in found:
        assert all(any(fix.quote in text for text in incident.sections.values()) for fix in incident.fixes)


def test_a_page_without_headings_leaves_gaps_not_guesses() -> None:
    incident = read(b"Something broke on Monday.", "note.md")[0]
    assert incident.fixes == ()
    assert incident.attributes["gaps"] == "cause,resolution"


def test_how_it_ended_is_not_what_ended_it() -> None:
    text = "Rolled `shop` back to 4.1. The pool drained within two minutes and errors stopped."
    (only,) = extract_fixes({SectionKind.RESOLUTION: text})
    assert (only.action, only.target) == (FixAction.ROLLBACK, "shop")
