"""
How Amazon SNS proves a delivery: an RSA signature over named fields of the body.

The certificate is the operator's, from a file; the URL in the body is looked at and never fetched. Any account of the
cloud can have SNS sign its messages, so only topics that the operator lists are taken. Needs the extra `sns`.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ingest.errors import BadRecord
from ingest.parsing import load_json, mapping_of, parse_time

TOLERANCE = 86_400
"""Seconds that a message may be old: SNS sends one again for hours, with the time of its first sending."""
_PLACE = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[\w./-]+\.pem")
_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_FIELDS["UnsubscribeConfirmation"] = _FIELDS["SubscriptionConfirmation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sns:
    """
    The secret is the certificate in PEM; `topics` are the ARNs that are taken.
    """

    topics: tuple[str, ...] = ()

    @property
    def lacks(self) -> str:
        """
        What it cannot work without.
        """
        if not self.topics:
            return "`topics` is missing: list the TopicArn of each topic that may send"
        if importlib.util.find_spec("cryptography") is None:
            return "signatures of SNS need the extra `sns`: pip install 'precedent[sns]'"
        return ""

    def problem(self, body: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> str:
        """
        As of Signing.
        """
        if self.lacks:
            return self.lacks
        try:
            message = mapping_of(load_json(body, "the message"), "the message")
            age = abs((now - parse_time(message.get("Timestamp"))).total_seconds())
        except BadRecord as error:
            return f"it is no message of SNS: {error}"
        if message.get("TopicArn") not in self.topics:
            return f"the topic {str(message.get('TopicArn'))[:200]} is not one of `topics`"
        if not _PLACE.fullmatch(str(message.get("SigningCertURL") or message.get("SigningCertUrl"))):
            return "SigningCertURL is not at https://sns.REGION.amazonaws.com"
        if age > TOLERANCE:
            return f"its Timestamp is not within {TOLERANCE // 3600} h of our clock"
        return _unsigned(message, secret, now)


def signed_text(message: Mapping[str, object]) -> bytes | None:
    """
    What SNS signs of a message; None for a type that is not known.
    """
    fields = _FIELDS.get(str(message.get("Type")))
    if fields is None:
        return None
    return "".join(f"{name}\n{message[name]}\n" for name in fields if message.get(name) is not None).encode()


def _unsigned(message: Mapping[str, object], certificate: str, now: datetime) -> str:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_pem_x509_certificate

    functions: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - SNS's first version
    function = functions.get(str(message.get("SignatureVersion")))
    text = signed_text(message)
    if function is None or text is None:
        return "its SignatureVersion or Type is not known"
    try:
        known = load_pem_x509_certificate(certificate.encode())
        signature = base64.b64decode(str(message.get("Signature")), validate=True)
    except (ValueError, binascii.Error):
        return "the source's secret is no certificate in PEM, or Signature is not base64"
    key = known.public_key()
    if not isinstance(key, RSAPublicKey) or not known.not_valid_before_utc <= now <= known.not_valid_after_utc:
        return "the source's certificate is no RSA certificate that is valid now; get the present one of SNS"
    try:
        key.verify(signature, text, padding.PKCS1v15(), function)
    except InvalidSignature:
        return "Signature is not that of the message"
    return ""
