"""
How to send a test to a webhook by hand: the lines of a shell, with the signature that its scheme wants.
"""

from __future__ import annotations

from ingest.signing import IN_URL, AnyOf, Hmac, NamedHmac, Shared, Signing, StandardWebhooks, TimedHmac
from ingest.signing_sns import Sns
from service.webhooks import Secret, Webhook

_ADDRESS = "http://127.0.0.1:8080"
_BODY = "delivery.json"


def recipe(address: str, source: str, connector: str, hook: Webhook | None) -> str:
    """
    The lines; without a webhook those for a sender with a token.
    """
    place = address or _ADDRESS
    if hook is None:
        url = f"{place}/v1/ingest/{connector}?source={source}"
        note = "# $TOKEN has the scope ingest; where there are no tokens, none is needed"
        return "\n".join([note, _curl(url, "authorization: Bearer $TOKEN")])
    secret = _secret(hook.secrets[0]) if hook.secrets else 'secret="..."'
    url = f"{place}/v1/hooks/{source}"
    lines = _signed(hook.signing, url)
    return "\n".join([secret, *lines])


def _secret(secret: Secret) -> str:
    kind, _, name = secret.place.partition(":")
    return f'secret="${name}"' if kind == "env" else f'secret="$(cat {name})"'


def _signed(signing: Signing, url: str) -> list[str]:
    if isinstance(signing, AnyOf):
        return _signed(signing.schemes[-1], url)
    if isinstance(signing, Shared):
        if signing.header == IN_URL:
            return [_curl(f"{url}?secret=$secret")]
        word = "Bearer " if signing.header == "authorization" else ""
        return [_curl(url, f"{signing.header}: {word}$secret")]
    if isinstance(signing, Hmac):
        return [_digest(signing.algorithm, f"cat {_BODY}"), _curl(url, f"{signing.header}: {signing.prefix}$signature")]
    if isinstance(signing, NamedHmac):
        name = signing.algorithms[0]
        return [_digest(name, f"cat {_BODY}"), _curl(url, f"{signing.header}: {name}=$signature")]
    if isinstance(signing, TimedHmac):
        lines = ["at=$(date +%s)", _digest("sha256", f"(printf '%s' \"$at{signing.separator}\"; cat {_BODY})")]
        if signing.stamp:
            return [*lines, _curl(url, f"{signing.header}: $signature", f"{signing.stamp}: $at")]
        return [*lines, _curl(url, f"{signing.header}: t=$at,v1=$signature")]
    if isinstance(signing, StandardWebhooks):
        return ["at=$(date +%s)", *_standard(signing, url)]
    if isinstance(signing, Sns):
        return [f"# only SNS can sign; publish to the topic, subscribed by https to {url}"]
    return [f"# add the headers that {type(signing).__name__} wants", _curl(url)]


def _standard(signing: StandardWebhooks, url: str) -> list[str]:
    read = "key=$(printf '%s' \"${secret#whsec_}\" | base64 -d | od -An -v -tx1 | tr -d ' \\n')"
    with_key = '-hmac "$secret"' if signing.plain else '-mac HMAC -macopt "hexkey:$key"'
    signed = f"(printf 'test.%s.' \"$at\"; cat {_BODY})"
    sign = f"signature=$( {signed} | openssl dgst -sha256 {with_key} -binary | base64)"
    identity, stamp, signature = signing.names
    send = _curl(url, f"{identity}: test", f"{stamp}: $at", f"{signature}: v1,$signature")
    return [sign, send] if signing.plain else [read, sign, send]


def _digest(algorithm: str, body: str) -> str:
    return f"signature=$({body} | openssl dgst -{algorithm} -hmac \"$secret\" | sed 's/^.* //')"


def _curl(url: str, *headers: str) -> str:
    said = " ".join(f'-H "{header}"' for header in ("content-type: application/json", *headers))
    return f'curl -X POST "{url}" {said} --data-binary @{_BODY}'
