"""
Bodies that came to the wrong address: another connector's, which a tolerant one would read as something they are not.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from ingest.connectors import connector, recognise

_KIN: Mapping[str, frozenset[str]] = {
    "alertmanager": frozenset({"grafana_alerts"}),
    "grafana_alerts": frozenset({"alertmanager"}),
    "jaeger": frozenset({"otlp"}),
    "jira": frozenset({"opsgenie"}),
    "opsgenie": frozenset({"jira"}),
    "pagerduty": frozenset({"pagerduty_alert_v2"}),
}
"""Whose bodies a connector reads beside its own."""
_CARRIERS = frozenset({"cloudevents", "standard_webhooks"})
"""Envelopes in which anybody may send."""
_LARGEST = 1 << 20
"""Bytes: no webhook is larger."""


def stranger(name: str, payload: bytes | str, meta: Mapping[str, str]) -> str:
    """
    Why the body is none of this connector's; empty where it is, or where nobody knows it.
    """
    found = connector(name)
    if found.recognises is None or found.snapshot or len(payload) > _LARGEST or payload[:1] not in (b"{", "{"):
        return ""
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(body, dict) or found.recognises(body, meta):
        return ""
    owner = recognise(body, meta)
    if owner is None or owner.name in _KIN.get(name, ()) or owner.name in (name, *_CARRIERS):
        return ""
    return (
        f"this is a body of {owner.name} ({owner.summary}), and came to {name}; the delivery is kept: "
        f"point the sender to /v1/ingest/{owner.name} or a webhook of that connector, and send it again"
    )
