"""
Terraform's notifications and plans.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from graph.values import Change, ChangeKind
from ingest.connectors import connector, recognise
from ingest.errors import BadRecord
from tests.unit.ingest.connectors.changing import changes, events, moment, sampled, settled


def test_a_run_is_one_change_once_it_applies() -> None:
    applying, applied, _ = events("terraform")
    planning = {**applying, "notifications": [{"message": "Run Planning", "trigger": "run:planning", "run_status": "planning",
                "run_updated_at": "2026-03-02T14:40:00.000Z", "run_updated_by": "nia"}]}  # fmt: skip
    assert settled("terraform", [planning, applying, applied]) == [
        Change(
            id="terraform:run:run-1",
            kind=ChangeKind.INFRASTRUCTURE,
            at=moment("2026-03-02 14:45:00"),
            ended_at=moment("2026-03-02 14:45:00"),
            title="Widen the subnets",
            services=("service:network-prod",),
            environment="prod",
            actor="nia",
            status="applied",
            text="Run Completed",
            url="https://app.terraform.io/app/acme/network-prod/runs/run-1",
            attributes={"workspace": "network-prod", "organization": "acme"},
        )
    ]
    assert changes("terraform", orjson.dumps(planning)) == []


def test_a_run_that_only_planned_is_nothing() -> None:
    body = events("terraform")[1]
    body["notifications"] = [
        {"trigger": "run:completed", "run_status": "planned_and_finished", "run_updated_at": "2026-03-02T14:45:00Z"}
    ]
    assert changes("terraform", orjson.dumps(body)) == []


def test_a_plan_tells_addresses_and_services_and_never_a_value() -> None:
    plan = orjson.dumps(events("terraform")[2])
    (found,) = changes("terraform", plan)
    assert (found.kind, found.status, found.at) == (ChangeKind.INFRASTRUCTURE, "planned", moment("2026-03-02 16:00:00"))
    assert found.title == "Terraform plan: 1 to replace, 1 to update"
    assert found.text == "update aws_ecs_service.api\nreplace aws_db_instance.main"
    assert (found.services, found.environment) == (("service:quote-api", "service:quote-db"), "staging")
    (piece,) = connector("terraform").split(plan, {"path": "plan.json"})
    assert "hunter2" not in piece.body


def test_only_new_drift_is_a_change() -> None:
    def drift(before: bool) -> bytes:
        return orjson.dumps({
            "payload_version": "2", "notification_configuration_id": "nc-1", "trigger": "assessment:drifted", "message": "Drift Detected",
            "details": {"new_assessment_result": {"id": "asmtres-2", "drifted": True, "resources_drifted": 2, "created_at": "2026-03-02T14:43:05Z"},
                        "prior_assessment_result": {"id": "asmtres-1", "drifted": before, "resources_drifted": 2 if before else 0},
                        "workspace_name": "network-prod", "organization_name": "acme"},
        })  # fmt: skip

    (found,) = changes("terraform", drift(before=False))
    assert (found.id, found.title, found.status) == (
        "terraform:drift:asmtres-2",
        "Drift of 2 resources in network-prod",
        "drifted",
    )
    assert changes("terraform", drift(before=True)) == []


def test_what_is_neither_is_told() -> None:
    with pytest.raises(
        BadRecord, match=r"neither a notification of HCP Terraform that is known \(trigger 'unknown'\) nor a plan"
    ):
        changes("terraform", b'{"format_version": "1.0", "values": {}}')


def test_the_signatures_header_or_own_fields_are_recognised() -> None:
    for found in (
        *(recognise(one, {}) for one in events("terraform")),
        recognise({}, {"x-tfe-notification-signature": "ab"}),
    ):
        assert found is not None
        assert found.name == "terraform"


def test_real_notifications_and_plans_state_what_they_hold(shared: Path) -> None:
    assert sampled(shared, "terraform") == {
        "notification.drifted.json": [],
        "notification.run.json": ["terraform:run:run-FwnENkvDnrpyFC7M"],
        "notification.verification.json": [],
        "plan.show-json.json": [],
    }
    (found,) = changes("terraform", (shared / "samples/terraform/notification.run.json").read_bytes())
    assert (found.status, found.at, found.actor) == ("canceled", moment("2019-01-25 18:37:04"), "sample-user")
