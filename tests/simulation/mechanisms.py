"""
How changes do harm, and what else does: words of the change, words of the symptom, and how long it takes to show.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """
    One way of failing. `kind` is the change's (empty: no change does it); `delay` are the least and the most minutes
    from the change to the onset; a `quiet` one names nothing of the symptom in its own words.
    """

    name: str
    kind: str
    delay: tuple[float, float]
    title: str
    file: str
    text: str
    alert: str
    symptom: str
    log: str


MECHANISMS = (
    Mechanism(
        name="pool", kind="deploy", delay=(20, 240), title="Load promotions per item", file="src/orders/session.py",
        text="open a session for each item", alert="HighErrorRate", symptom="connection pool exhausted, requests fail",
        log="pool exhausted: 20 of 20 connections in use",
    ),
    Mechanism(
        name="memory", kind="deploy", delay=(120, 900), title="Keep rendered pages in memory", file="src/render/cache.py",
        text="remember every page by its address", alert="ContainerOOMKilled", symptom="containers are killed, out of memory",
        log="OOMKilled: memory limit reached, heap 1.9 GiB",
    ),
    Mechanism(
        name="timeout", kind="config", delay=(1, 15), title="Lower the timeout of calls", file="config/values.yaml",
        text="timeout: 200ms", alert="HighLatency", symptom="calls time out, latency above two seconds", log="deadline exceeded after 200ms",
    ),
    Mechanism(
        name="flag", kind="flag", delay=(1, 12), title="Turn on new checkout for everyone", file="flags/new-flow.yaml",
        text="rollout: 100", alert="HighErrorRate", symptom="500 for users of the new flow", log="TypeError: undefined is not a function in new flow",
    ),
    Mechanism(
        name="schema", kind="schema", delay=(0, 6), title="Alter table items, add column", file="migrations/0042_items.sql",
        text="alter table items add column note text not null", alert="DatabaseLocks", symptom="queries wait for a lock on the table items",
        log="could not obtain lock on relation items",
    ),
    Mechanism(
        name="certificate", kind="certificate", delay=(1, 40), title="Rotate certificate of the gateway", file="certs/gateway.pem",
        text="new issuer", alert="TLSHandshakeErrors", symptom="TLS handshake fails", log="x509: certificate signed by unknown authority",
    ),
    Mechanism(
        name="cache", kind="config", delay=(50, 200), title="Shorten the time to live of cached prices", file="config/cache.yaml",
        text="ttl: 60", alert="CacheMissRatio", symptom="cache misses, the database is overloaded", log="cache miss storm, stale entries evicted",
    ),
    Mechanism(
        name="model", kind="model", delay=(5, 90), title="Promote model ranker-7", file="models/ranker/config.json",
        text="dimension 512", alert="EmptyResults", symptom="results are empty, vector dimension mismatch", log="index dimension 384 is not 512",
    ),
    Mechanism(
        name="scale", kind="scaling", delay=(10, 120), title="Scale down from 12 to 4", file="deploy/hpa.yaml",
        text="maxReplicas: 4", alert="CPUThrottling", symptom="CPU is throttled, the queue grows", log="worker saturated, backlog 12000",
    ),
    Mechanism(
        name="network", kind="infrastructure", delay=(0, 10), title="Tighten network policy", file="terraform/network.tf",
        text="egress deny", alert="ConnectionErrors", symptom="connection refused to its dependencies", log="dial tcp: connection refused by network policy",
    ),
)  # fmt: skip

NO_CHANGE = (
    Mechanism(
        name="traffic", kind="", delay=(0, 0), title="", file="", text="", alert="HighLatency",
        symptom="requests are five times the usual", log="rate limit exceeded, traffic spike of 5 times normal",
    ),
    Mechanism(
        name="provider", kind="", delay=(0, 0), title="", file="", text="", alert="ConnectionErrors",
        symptom="calls of the payment provider fail", log="503 from upstream provider, provider incident on its status page",
    ),
    Mechanism(
        name="certificate", kind="", delay=(0, 0), title="", file="", text="", alert="TLSHandshakeErrors",
        symptom="certificate has expired", log="x509: certificate has expired",
    ),
    Mechanism(
        name="hardware", kind="", delay=(0, 0), title="", file="", text="", alert="NodeNotReady",
        symptom="node not ready, disk failure", log="I/O error on /dev/nvme0n1",
    ),
    Mechanism(
        name="data", kind="", delay=(0, 0), title="", file="", text="", alert="QueueBacklog",
        symptom="the consumer stops at the same message again and again", log="poison message at offset 48120, malformed record",
    ),
)  # fmt: skip

QUIET = ("Release {revision}", "Weekly release", "Merge branch main", "Update {service}")
"""Titles that say nothing."""
INNOCENT = (
    ("deploy", "Show a banner on the account page", "src/account/banner.tsx"),
    ("deploy", "Bump logging library", "requirements.txt"),
    ("deploy", "Refactor serializer of invoices", "src/invoice/serialize.py"),
    ("config", "Raise log sampling", "config/logging.yaml"),
    ("flag", "Turn on dark mode for staff", "flags/dark-mode.yaml"),
    ("config", "Rename a dashboard", "config/dashboards.yaml"),
    ("scaling", "Scale up before the weekend", "deploy/hpa.yaml"),
    ("infrastructure", "Tag buckets by team", "terraform/tags.tf"),
    ("deploy", "Retry calls with backoff, timeout 2s", "src/client/retry.py"),
    ("deploy", "Limit the connection pool to 40", "src/db/pool.py"),
    ("schema", "Create table notes", "migrations/0043_notes.sql"),
)
