"""
A step is the page's own words; the command in it, and how it is taken back, are told apart from what it talks about.
"""

from __future__ import annotations

import pytest

from service.actions import Step, action_of, steps

PAGE = """Before you begin, look at `the board`.

1. Restart the workers: `kubectl rollout restart deploy/cart`
   - Undo: nothing to do
2. Scale `cart` out with `kubectl scale deploy/cart --replicas=9` (undo: `kubectl scale deploy/cart --replicas=3`)
   and wait for the pods.
3. Look for `pool exhausted` in the log
"""


def test_steps_are_quotations_with_their_command_and_how_they_are_taken_back() -> None:
    found = list(steps(PAGE))
    assert [one.command for one in found] == [
        "kubectl rollout restart deploy/cart", "kubectl scale deploy/cart --replicas=9", None,
    ]  # fmt: skip
    assert [one.undo for one in found] == ["nothing to do", "`kubectl scale deploy/cart --replicas=3`", None]
    assert all(one.text in PAGE for one in found)


@pytest.mark.parametrize(
    ("step", "action"),
    [
        (Step("Restart: `kubectl rollout restart deploy/x`", "kubectl rollout restart deploy/x"), "restart"),
        (Step("Take it back: `helm rollback shop 3`", "helm rollback shop 3"), "rollback"),
        (Step("Roll back `shop` to the release before."), "rollback"),
        (Step("Fail over to the second region."), "fail_over"),
        (Step("Look at the dashboard."), None),
        (Step("Look: `kubectl get pods`", "kubectl get pods"), None),
    ],
)
def test_what_a_step_does_is_said_by_its_command_or_its_words(step: Step, action: str | None) -> None:
    assert action_of(step) == action
