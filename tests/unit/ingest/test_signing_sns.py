"""
A message of SNS is proven by the operator's certificate, for the topics that he lists, and nothing is fetched.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from ingest.signing_sns import Sns, signed_text

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
SNS = Sns(topics=(TOPIC,))
MESSAGE = {
    "Type": "Notification",
    "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
    "TopicArn": TOPIC,
    "Subject": "ALARM",
    "Message": '{"AlarmName": "cpu"}',
    "Timestamp": "2026-05-01T11:59:00.000Z",
    "SignatureVersion": "2",
    "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem",
    "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
}
KEY = rsa.generate_private_key(65537, 2048)


def certificate(key: rsa.RSAPrivateKey, end: datetime = NOW + timedelta(days=90)) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(NOW - timedelta(days=90)).not_valid_after(end)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM).decode()


PEM = certificate(KEY)


def signed(**changes: object) -> bytes:
    message: dict[str, Any] = {key: value for key, value in {**MESSAGE, **changes}.items() if value is not None}
    first = message.get("SignatureVersion") == "1"
    function = hashes.SHA1() if first else hashes.SHA256()  # noqa: S303 - SNS's first version
    text = signed_text(message) or b""
    message["Signature"] = base64.b64encode(KEY.sign(text, padding.PKCS1v15(), function)).decode()
    return orjson.dumps(message)


def problem(body: bytes, secret: str = PEM, signing: Sns = SNS, now: datetime = NOW) -> str:
    return signing.problem(body, {}, secret, now)


def test_the_text_that_is_signed_is_the_named_fields_in_order() -> None:
    assert signed_text({**MESSAGE, "Subject": None}) == (
        b'Message\n{"AlarmName": "cpu"}\nMessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\n'
        b"Timestamp\n2026-05-01T11:59:00.000Z\nTopicArn\narn:aws:sns:eu-west-1:123456789012:alarms\nType\nNotification\n"
    )


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", ["ALARM", None])
def test_a_message_of_a_listed_topic_is_proven(version: str, subject: str | None) -> None:
    assert problem(signed(SignatureVersion=version, Subject=subject)) == ""


def test_a_confirmation_is_proven_too() -> None:
    assert problem(signed(Type="SubscriptionConfirmation", Token="abc", SubscribeURL="https://sns/x")) == ""


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp"])
def test_an_altered_field_is_seen(field: str) -> None:
    altered = {**orjson.loads(signed()), field: "2026-05-01T11:58:00.000Z"}
    assert problem(orjson.dumps(altered)) == "Signature is not that of the message"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"TopicArn": "arn:aws:sns:eu-west-1:666666666666:alarms"}, "is not one of `topics`"),
        ({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": "https://evil.example/sns.eu-west-1.amazonaws.com/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@evil.example/x.pem"}, "SigningCertURL"),
        ({"SigningCertURL": None}, "SigningCertURL"),
        ({"Timestamp": "2026-04-30T11:59:00.000Z"}, "not within 24 h"),
        ({"Timestamp": "2026-05-02T12:01:00.000Z"}, "not within 24 h"),
        ({"Timestamp": "soon"}, "no message of SNS"),
        ({"SignatureVersion": "3"}, "not known"),
        ({"Type": "Rumour"}, "not known"),
    ],
)
def test_what_is_signed_and_yet_not_taken(changes: dict[str, object], says: str) -> None:
    assert says in problem(signed(**changes))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"Type": "Notification"}', b"\xff"])
def test_what_is_no_message_is_told(body: bytes) -> None:
    assert "no message of SNS" in problem(body)


def test_another_certificate_or_an_old_one_does_not_prove() -> None:
    other = rsa.generate_private_key(65537, 2048)
    assert problem(signed(), certificate(other)) == "Signature is not that of the message"
    assert "valid now" in problem(signed(), certificate(KEY, NOW - timedelta(days=1)))
    assert "no certificate in PEM" in problem(signed(), "a secret")


def test_without_topics_nobody_may_send() -> None:
    assert "`topics` is missing" in problem(signed(), signing=Sns())
