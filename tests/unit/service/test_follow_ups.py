"""
What a postmortem says is still open is found in the forms that people write; what is done or says nothing is not.
"""

from __future__ import annotations

import pytest

from service.follow_ups import FollowUp, open_actions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- [ ] Add an alert #12 (owner: Team X)\n- [x] Raise the limit", FollowUp("Add an alert #12 (owner: Team X)", "#12", "Team X")),
        ("- Give the job an owner (team payments, open)\n- Done thing (ann, done)", FollowUp("Give the job an owner", "", "team payments")),
        ("12. Split the queue. Status: in progress\n13. Status: closed. No", FollowUp("Split the queue", "12", "")),
        ("| Action | Owner | Status | Ticket |\n|---|---|---|---|\n| Page on lag | Infra | To do | OPS-7 |\n| Old | Infra | Done | OPS-1 |", FollowUp("Page on lag", "OPS-7", "Infra")),
        ('- {"title": "Drop the index", "owner": "dba", "status": "open", "id": 3}\n- {"title": "x", "status": "closed"}', FollowUp("Drop the index", "3", "dba")),
        ("* Write a test - PAY-9 (open)", FollowUp("Write a test - PAY-9", "PAY-9", "")),
    ],
)  # fmt: skip
def test_an_open_action_with_its_number_and_owner(text: str, found: FollowUp) -> None:
    assert open_actions(text) == (found,)


@pytest.mark.parametrize(
    "text", ["", "- Open a pull request for the limit", "We should be more open.", "- Raised the limit"]
)
def test_what_has_no_state_is_not_said_to_be_open(text: str) -> None:
    assert open_actions(text) == ()
