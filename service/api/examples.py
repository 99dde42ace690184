"""
Examples that the API's description carries; a test sends them.
"""

from __future__ import annotations

ALERT_EXAMPLE = {
    "name": "CheckoutErrorRateHigh",
    "at": "2026-10-30T14:05:00Z",
    "labels": {"job": "checkout-svc", "env": "prod"},
    "annotations": {"summary": "Checkout error rate is 11 %: connection pool exhausted"},
}
CONTEXT_BODY: dict[str, object] = {
    "requestBody": {
        "required": True,
        "description": "an alert as a monitoring tool sends it; `signals`, `as_of`, `known_at` may stand beside",
        "content": {"application/json": {"schema": {"type": "object"}, "example": ALERT_EXAMPLE}},
    }
}
CONTEXT_EXAMPLE = {
    "answer_id": "a-0123456789abcdef0123",
    "headline": ["This is about checkout (99%).", "checkout owns it; selma answers now."],
    "service": {"candidates": [{"id": "service:checkout", "probability": 0.99}], "none_probability": 0.01},
    "changes": {"suspects": [{"id": "d-0407", "probability": 0.63}], "none_probability": 0.17},
    "precedents": [{"id": "LK-137", "probability": 0.99, "fix": {"action": "rollback", "target": "checkout"}}],
    "gaps": ["no logs, traces or metrics were given with the alert"],
}
