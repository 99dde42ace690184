"""
What Helm prints of its releases.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, data, ids, moment, sampled, settled


def test_each_revision_is_a_change_and_a_rollback_says_what_it_takes_back() -> None:
    found = changes("helm", data("helm"), path="payments.history.json", namespace="prod")
    assert ids(found) == ["helm:prod/payments/4", "helm:prod/payments/5", "helm:prod/payments/6"]
    assert [(one.revision, one.previous, one.status) for one in found[:2]] == [
        ("2.0.1", None, "superseded"),
        ("2.1.0", "2.0.1", "superseded"),
    ]
    assert found[2] == Change(
        id="helm:prod/payments/6",
        kind=ChangeKind.ROLLBACK,
        at=moment("2026-03-02 15:00:00"),
        ended_at=moment("2026-03-02 15:00:00"),
        title="Roll back payments to 4 (payments 2.0.1)",
        services=("service:payments",),
        environment="prod",
        revision="2.0.1",
        previous="2.1.0",
        status="deployed",
        text="Rollback to 4",
        reverts="helm:prod/payments/5",
        attributes={
            "namespace": "prod",
            "chart": "payments",
            "app_version": "5.0",
            "helm_revision": "6",
            "back_to": "4",
        },
    )


def test_list_status_and_metadata_name_the_same_revision() -> None:
    listed = [{"name": "payments", "namespace": "prod", "revision": "6", "updated": "2026-03-02 15:00:00.123456789 +0000 UTC",
               "status": "deployed", "chart": "payments-2.0.1", "app_version": "5.0"}]  # fmt: skip
    status = {"name": "payments", "namespace": "prod", "version": 6, "info": {"first_deployed": "2026-01-01T00:00:00Z",
              "last_deployed": "2026-03-02T15:00:00.123456789Z", "status": "deployed", "description": "Rollback to 4"},
              "chart": {"metadata": {"name": "payments", "version": "2.0.1", "appVersion": "5.0"}}}  # fmt: skip
    metadata = {"name": "payments", "chart": "payments", "version": "2.0.1", "appVersion": "5.0", "namespace": "prod",
                "revision": 6, "status": "deployed", "deployedAt": "2026-03-02T15:00:00Z"}  # fmt: skip
    found = [one for body in (listed, status, metadata) for one in changes("helm", orjson.dumps(body))]
    assert ids(found) == ["helm:prod/payments/6"] * 3
    assert [(one.revision, one.attributes["chart"], one.attributes["app_version"]) for one in found] == [
        ("2.0.1", "payments", "5.0")
    ] * 3
    assert found[1].kind is ChangeKind.ROLLBACK


def test_a_superseded_revision_stays_so_in_any_order() -> None:
    def revision(status: str) -> dict[str, object]:
        return {
            "name": "a",
            "namespace": "b",
            "revision": 1,
            "updated": "2026-03-02T15:00:00Z",
            "status": status,
            "chart": "a-1.0.0",
        }

    (found,) = settled("helm", [revision("pending-install"), revision("deployed"), revision("superseded")])
    assert (found.status, found.ended_at) == ("superseded", moment("2026-03-02 15:00:00"))


def test_a_history_in_a_request_must_say_whose_it_is() -> None:
    with pytest.raises(BadRecord, match=r"name it by \?path=RELEASE\.history\.json, or give the source the option"):
        changes("helm", data("helm"), path="helm.json")
    assert changes("helm", data("helm"), path="helm.json", release="payments")[0].services == ("service:payments",)


def test_a_chart_keeps_the_digits_of_its_name() -> None:
    body = {
        "name": "web",
        "namespace": "b",
        "revision": "1",
        "updated": "2026-03-02T15:00:00Z",
        "status": "deployed",
        "chart": "log4j-2-kit-1.0.0-rc.1+7",
    }
    (found,) = changes("helm", orjson.dumps([body]))
    assert (found.attributes["chart"], found.revision) == ("log4j-2-kit", "1.0.0-rc.1+7")


def test_a_releases_own_fields_are_recognised() -> None:
    for one in orjson.loads(data("helm")):
        found = recognise(one, {})
        assert found is not None
        assert found.name == "helm"


def test_yaml_is_read_too() -> None:
    text = (
        b"- {name: web, namespace: b, revision: '3', updated: 2026-03-02T15:00:00Z, status: failed, chart: web-1.0.0}\n"
    )
    (found,) = changes("helm", text, path="list.yaml")
    assert (found.id, found.status) == ("helm:b/web/3", "failed")


def test_real_output_states_what_it_holds(shared: Path) -> None:
    history = "helm:/history-with-rollback.json/"
    assert sampled(shared, "helm") == {
        "get-metadata.json": ["helm:default/thomas-guide/1"],
        "history-with-rollback.json": [f"{history}1", f"{history}2", f"{history}3"],
        "status.json": ["helm:default/flummoxed-chickadee/20160116T000000"],
    }
    raw = (shared / "samples/helm/history-with-rollback.json").read_bytes()
    back = changes("helm", raw, path="history-with-rollback.json")[2]
    assert (back.kind, back.reverts, back.services) == (ChangeKind.ROLLBACK, f"{history}2", ())
    (known,) = changes("helm", (shared / "samples/helm/get-metadata.json").read_bytes())
    assert (known.at, known.revision) == (moment("1977-09-02 22:04:05"), "0.1.0-beta.1")
