"""
Of many planted secrets of many kinds hardly one is left, and hashes, ids and checksums are left alone.
"""

from __future__ import annotations

import base64
import json
import random
import textwrap
import time
from collections import Counter

import pytest

from ingest.connectors import connector
from ingest.redaction import Redactor
from ingest.redaction_bodies import redact_body
from tests.security.planting import KINDS, PREFIXED, harmless, identifier, planted

REDACTOR = Redactor()


def test_planted_secrets_are_found_in_every_kind() -> None:
    seen, left = Counter[str](), Counter[str]()
    kept = []
    for one in planted(20260302, 30 * len(KINDS)):
        seen[one.kind] += 1
        if one.secret in redact_body(REDACTOR, one.body).text:
            left[one.kind] += 1
            kept.append((one.kind, one.body))
    assert len(seen) >= 30
    assert seen.total() >= 1000
    assert left.total() <= seen.total() / 100, kept[:20]
    assert [(kind, count) for kind, count in left.items() if count * 20 > seen[kind]] == []


def test_what_only_looks_like_a_secret_is_left_alone() -> None:
    bodies = list(harmless(20260303, 3000))
    hit = [body for body in bodies if redact_body(REDACTOR, body).found]
    assert len(hit) < len(bodies) * 0.005, hit[:20]


VALUE = "".join(("Q7zt2Xw9", "Lk4Vb8Nc3", "Md6Hs1Jf5Rg0"))
ENCODED = base64.b64encode(VALUE.encode()).decode()
UUID = "-".join(("0f8fad5b", "d9cb", "469f", "a165", "70867728950e"))
HEXED = "9f86d081884c7d65" * 4


@pytest.mark.parametrize(
    ("form", "secret"),
    [
        ("User,Access key ID,Secret access key\nbot,AK" + "IA" + "Q2W3E4R5T6Y7U2I3,{}", VALUE + "a/b+c/d+e/f"),
        ("API key: {}", VALUE), ("Access Token: {}", VALUE), ("FROM x\nENV DB_PASSWORD {}\nRUN y", VALUE),
        ("kubectl create secret generic shop --from-literal=user=app --from-literal=blob={}", VALUE),
        ('{{"headers": {{"Authorization": "GenieKey {}"}}}}', UUID), ("Authorization: Splunk {}", UUID), ("HEROKU_API_KEY={}", UUID),
        ("Authorization: AWS4-HMAC-SHA256 Credential=x/20260302/eu, SignedHeaders=host, Signature={}", HEXED),
        ('tool --password "{} 2 words"', VALUE), ('curl -b "sid={}" https://example.org', VALUE), ("echo {} | base64 -d", ENCODED),
        ("define('DB_PASSWORD', '{}');", VALUE), ('os.environ["API_TOKEN"] = "{}"', VALUE), ("FIREBASE_KEY={}", VALUE),
        ("body=user%3Dapp%26password%3D{}%26x%3D1", VALUE), ("<td>password=&quot;{}&quot;</td>", VALUE), ("login failed password=[{}]", VALUE),
        ("jdbc:oracle:thin:scott/{}@//db:1521/x", VALUE), ("https://{}:x-oauth-basic@git.example.org/a", VALUE), ("https://{}@git.example.org/a.git", VALUE),
        ('{{"source": ["-----BEGIN RSA PRIVATE' + ' KEY-----", "{}", "-----END RSA PRIVATE' + ' KEY-----"]}}', VALUE),
        ('{{"headers": [{{"name": "Cookie", "value": "sid={}; x=1"}}]}}', VALUE), ('{{"rawHeaders": ["Host", "x", "Authorization", "Bearer {}"]}}', VALUE),
        ('{{"Parameters": [{{"ParameterKey": "DbPassword", "ParameterValue": "{}"}}]}}', VALUE),
        ("@@ -1 +1 @@\n apiVersion: v1\n kind: Secret\n data:\n-  url: {}\n+  url: bmV3", ENCODED),
        ("kind: Secret\nstringData:\n  config.yaml: |\n    url: x\n    blob: {}\n  b: c\ntype: Opaque", VALUE), ("kind: Secret\ndata: {{url: {}}}", ENCODED),
        ("**Password:** {}", VALUE), ("| Name | Value |\n| --- | --- |\n| DB password | `{}` |", VALUE),
        ("tls.key: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ{}", VALUE), ("password: >-\n  {}\nuser: a", VALUE),
    ],
)  # fmt: skip
def test_rarer_forms_are_found(form: str, secret: str) -> None:
    assert secret not in redact_body(REDACTOR, form.format(secret)).text


@pytest.mark.parametrize(
    "kind",
    ["github-classic", "gitlab", "slack-token", "stripe", "npm", "vault", "grafana-service", "digitalocean", "openai"],
)
@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
@pytest.mark.parametrize(
    "form", ["failed with {}", "failed with {}...", "failed with {}…", '{{"error": "token {}"}}', "{} [truncated]"]
)
def test_what_is_left_of_a_secret_that_was_cut_off_is_found(kind: str, share: float, form: str) -> None:
    rng = random.Random(f"{kind} {share}")
    whole = PREFIXED[kind](rng)
    cut = whole[: max(16, int(len(whole) * share))]
    assert cut[-8:] not in redact_body(REDACTOR, form.format(cut)).text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgres://app:{}", VALUE), ('{{"dsn": "amqps://svc:{}"}}', VALUE), ("cannot reach redis://:{}...", VALUE),
        ("{}\n-----END RSA PRIVATE" + " KEY-----", VALUE * 2), ('{{"log": "{}\\n-----END PRIVATE' + ' KEY-----"}}', VALUE * 2),
    ],
)  # fmt: skip
def test_an_end_without_its_beginning_and_a_beginning_without_its_end_are_found(text: str, secret: str) -> None:
    assert secret not in redact_body(REDACTOR, text.format(secret)).text


@pytest.mark.parametrize(
    "plain", ["password=" + VALUE, "gh" + "p_" + "a1B2c3D4e5F6" * 3, '{"client_secret": "' + VALUE + '"}', "postgres://app:" + VALUE + "@db/x", "A=1\n" * 30 + "API_TOKEN=" + VALUE]
)  # fmt: skip
@pytest.mark.parametrize("form", ["{}", "config: {}", '{{"blob": "{}"}}', "got {} back"])
def test_what_base64_hides_is_found(plain: str, form: str) -> None:
    for encoded in (
        base64.b64encode(plain.encode()).decode(),
        base64.urlsafe_b64encode(plain.encode()).decode().rstrip("="),
        "\n".join(textwrap.wrap(base64.b64encode(plain.encode()).decode(), 76)),
    ):
        text = form.format(encoded if form[0] != "{{" else json.dumps(encoded)[1:-1])
        left = redact_body(REDACTOR, text).text
        assert encoded[:20] not in left
        assert encoded[-16:] not in left


def test_ids_of_visits_and_what_is_encoded_without_a_secret_are_left_alone() -> None:
    rng = random.Random(7)
    names = ("sessionId", "session_id", "session.id", "SessionID", "chatSessionId")
    bodies = [json.dumps({rng.choice(names): identifier(rng), "n": n}) for n in range(300)]
    bodies += [f"{rng.choice(names)}={identifier(rng)} GET /checkout" for _ in range(300)]
    bodies += [
        json.dumps({"state": base64.b64encode(f"page {n} of the list of orders".encode()).decode()}) for n in range(300)
    ]
    bodies += [json.dumps({"icon": base64.b64encode(rng.randbytes(60)).decode()}) for _ in range(300)]
    hit = [body for body in bodies if redact_body(REDACTOR, body).found]
    assert len(hit) < len(bodies) * 0.005, hit[:5]
    assert redact_body(REDACTOR, f"Set-Cookie: JSESSIONID={identifier(rng)}; Path=/").found


def test_formatting_hides_no_secret() -> None:
    run = {"annotations": {"code": False}, "type": "text"}
    block = {
        "object": "block", "id": "b", "type": "paragraph", "parent": {"page_id": "ab"}, "last_edited_time": "2026-03-02T10:00:00Z",
        "paragraph": {"rich_text": [{**run, "text": {"content": "password: "}}, {**run, "text": {"content": VALUE}, "annotations": {"code": True}}]},
    }  # fmt: skip
    page = {
        "id": "1",
        "type": "page",
        "title": "x",
        "body": {"storage": {"value": f"<p><b>password</b>: <code>{VALUE}</code></p>"}},
    }
    for name, body in (("notion", block), ("confluence", page)):
        (piece,) = connector(name).split(json.dumps(body).encode(), {})
        assert VALUE in piece.body
        assert VALUE not in redact_body(REDACTOR, piece.body).text, name


@pytest.mark.parametrize(
    "piece", ["-----BEGIN PRIVATE" + " KEY-----AAAA!", "password='", "authorization: ", "kind: Secret\n", "eyJ", "AKIA", "identified by '", "://a:", "login x password "]
)  # fmt: skip
def test_no_text_takes_long(piece: str) -> None:
    started = time.process_time()
    redact_body(REDACTOR, piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 5


def test_a_person_can_still_confirm_a_subscription_with_what_is_kept() -> None:
    address = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:alarms&Token={HEXED * 4}"
    body = json.dumps({"Type": "SubscriptionConfirmation", "Token": HEXED * 4, "SubscribeURL": address})
    assert redact_body(REDACTOR, body).text == body
