"""
What looks like a secret and is none: placeholders, names of things, hashes and ids behind a word that means little.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise

import re2

_LONGEST_LABEL = 60
_PLACEHOLDERS = re2.compile(
    r"(?i)^(?:\$\{?.*|\{\{.*|\{[a-z_.]+\}|<.*>?|%\(.*|%[a-z_]+%|%[sdvq]|\*{3,}|x{3,}|\.{3,}|\[redacted.*|null|none|true|false|undefined|example.*|your[_-].*"
    r"|changeme|placeholder|redacted|string|required|optional|n/?a|secretkeyref.*|valuefrom.*|vault:.*|file:.*|env[:.].*"
    r"|[*&][a-z_]+|\[[a-z _-]+\]|os\.(?:environ|getenv).*|process\.env.*|var\..*|data\..*|module\..*|local\..*"
    r"|kubernetes_secret.*|aws_.*|random_.*)$"
)
_HARMLESS = re2.compile(
    r"(?i)^(?:[0-9a-f]{7,40}|[0-9a-f]{64}|sha(?:1|256|384|512)[:-].*|md5:.*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|[0-9:.,/+TZ-]+|[a-z]+(?:[-_./][a-z]+)*|[a-z]+[0-9]{0,4}(?:[-_./:](?:[a-z]+[0-9]{0,4}|[0-9]{1,4}))+|[a-z][a-z0-9+.-]*://[^@]*"
    r"|arn:.*|projects/.*|/subscriptions/.*|ssh-(?:rsa|ed25519|dss).*|#/.*"
    r"|(?-i:[a-z0-9.]+/[a-z0-9._/-]+:[a-z0-9._-]+|/(?:[a-z0-9_.-]+/)*[a-z0-9_.-]*))$"
)
_HEX = re.compile(r"[0-9a-fA-F]+")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SURELY = re.compile(
    r"(?i)(?:api|app|application|access|account|encryption|decryption|signing|private|auth|master|secret|licen[cs]e|integration|routing"
    r"|subscription|service|functions?|shared|hmac|cipher).?key|[a-z0-9]{2,}[_.-]?(?:secret|token)|secret[_.-]?key[_.-]?base|session.?id|^[?&](?:token|secret|jwt|sid|session)\b"
    r"|^secret\b"
)
_SESSION = re.compile(r"(?i)(?:^|[^a-z])(?:[a-z]+[_.-]?)?session[ _.-]?id\b")
"""What telemetry calls a visit; the cookies of servers have names of their own."""
_OF_A_PAGE = re.compile(
    r"(?i)(?:next|prev(?:ious)?|page|continu(?:e|ation)|sync|cursor|resume|request|idempotency|change|fencing|ownership|pagination"
    r"|sequence|skip|start(?:ing)?|marker|scroll|delta|cancell?ation|task|dedup|lock|position|watch|public|design|cache|partition|sort|foreign|object|row|hash|lookup|group|ref|context|map|order|correlation|trace|concurrency|operation|poll)"
    r"(?:[_.-]?page)?[_.-]?(?:token|key)s?(?:[_.-]?(?:value|v?[0-9]+))?$"
)
_OF_A_QUEUE = re.compile(
    r"(?i)(?:routing|integration|service|storage|account|client|deploy|primary|secondary)[ _.-]?key$"
)
"""Names that a topic, a path or a thing bears as often as a key."""
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ANOTHER = re.compile(r"[a-z]+(?:[A-Z][a-z]+)*(?:Pass(?:word|wd)?|Pwd)")
"""A variable that holds a password."""
_PASSED = re.compile(r"(?:^|[^A-Za-z0-9_.-])(?:pass|Pass|PASS)[ \t]*[:=]")
_WORDS = re.compile(r"\W*[A-Za-z]+(?:[-_./:=+][A-Za-z]+)*\W*")
_MINGLED = 0.3
"""Changes of case a letter, from which on letters alone are no word."""
_STRONG = 8
_ENOUGH = 16
"""Characters from which on a value without digits, or without letters, may be a secret."""
_PROSE = re.compile(
    r"(?i)(?:and|are|argument|as|at|authentication|be|by|can|environment|field|file|flag|for|from|has|if|in|into|is|it|may|must"
    r"|not|of|on|option|options|or|parameter|prompt|should|that|the|this|to|value|via|was|when|will|with|without)[.,:;)]*"
)
_PORT = re.compile(r"[0-9]{1,5}(?:$|[/,;)?#&])")
_FOLDER = re.compile(r"(?:/[\w.-]+)+/?|[A-Z]:\\.*")


def innocent(rule: str, secret: str, label: str) -> bool:
    """
    Whether what a rule found, behind this label, is no secret after all. No label: the form itself was found.
    """
    if not label:
        return rule == "openai-key" and bool(_WORDS.fullmatch(secret))
    if _PLACEHOLDERS.match(secret):
        return True
    told = _TOLD.get(rule) or (_names_something if rule.startswith("secret") else None)
    if told is not None and told(secret, label):
        return True
    return rule.endswith("-option") and bool(_PROSE.fullmatch(secret))


def _names_something(secret: str, label: str) -> bool:
    """
    A hash or an id behind the word "token" or "secret" names something far more often than it opens it: of hexadecimal
    digits only 32 are a secret there, and any number that is usual for keys where the label can mean nothing else, as
    for an UUID. What turns a page of a list opens nothing.
    """
    named = _NAME.search(label)
    if named and _OF_A_PAGE.search(named[0]):
        return True
    if _HEX.fullmatch(secret) and not secret.isdigit():
        return not (len(secret) == 32 or (len(secret) >= _LONG and _SURELY.search(label)))
    if _UUID.fullmatch(secret):
        return not _SURELY.search(label) or bool(_SESSION.search(label))
    if _OF_A_QUEUE.search(named[0] if named else "") and len(secret) < _LONGEST_LABEL and not secret.isalnum():
        return not ("=" in secret or "+" in secret)
    if len(secret) < _ENOUGH and (secret.isalpha() or not any(char.isalpha() for char in secret)):
        return True
    return bool(_HARMLESS.match(secret)) and not _mingled(secret)


_LONG = 20
"""Hexadecimal digits of a key, at least."""


def _mingled(text: str) -> bool:
    """
    Whether letters of both cases are mixed as no word mixes them.
    """
    for part in re.split(r"[^A-Za-z0-9]+", text):
        letters = [char for char in part if char.isalpha()]
        turns = sum(one.islower() != other.islower() for one, other in pairwise(letters))
        if len(letters) >= _ENOUGH and turns >= len(letters) * _MINGLED:
            return True
    return False


def _no_password(secret: str, label: str) -> bool:
    """
    `PWD` is also the folder that a shell stands in, and `pass` what a test does.
    """
    name = label.rstrip(" :=\\\"'")
    if _ANOTHER.fullmatch(secret) or ("**" in label and _only_said(secret, label)):
        return True
    if name.lower().endswith("pwd"):
        return bool(_FOLDER.fullmatch(secret))
    said = _PASSED.search(label)
    return said is not None and not _strong(secret)


def _strong(secret: str) -> bool:
    kinds = (str.isdigit, str.islower, str.isupper, lambda char: not char.isalnum())
    return len(secret) >= _STRONG and sum(any(map(kind, secret)) for kind in kinds) > 2


def _only_said(secret: str, label: str) -> bool:
    """
    What follows "the password is" in a sentence, unless it holds digits or signs as no word does.
    """
    return not any(char.isdigit() for char in secret) or not any(char.isalpha() for char in secret)


def _no_cookie(secret: str, label: str) -> bool:
    return "=" not in secret and (" " in secret or bool(_WORDS.fullmatch(secret)) or bool(_HARMLESS.match(secret)))


_TOLD: Mapping[str, Callable[[str, str], bool]] = {
    "session": lambda secret, label: bool(_UUID.fullmatch(secret)) and bool(_SESSION.search(label)),
    "url-cut": lambda secret, label: not (any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))),
    "url-password": lambda secret, label: bool(_PORT.match(secret)),
    "password": _no_password,
    "password-prose": _only_said,
    "password-argument": _only_said,
    "secret-cell": lambda secret, label: _only_said(secret, label) or _names_something(secret, label),
    "cookie": _no_cookie,
    "bearer": lambda secret, label: bool(_WORDS.fullmatch(secret)) and not _mingled(secret),
    "bearer-header": lambda secret, label: bool(_HARMLESS.match(secret)) and not _HEX.fullmatch(secret),
    "registry-auth": lambda secret, label: bool(_WORDS.fullmatch(secret)),
    "url-token": lambda secret, label: bool(_HARMLESS.match(secret)) and not _HEX.fullmatch(secret),
}
"""By rule: whether a value behind a label is no secret."""


def entropy(text: str) -> float:
    """
    Shannon's entropy of the characters, in bits a character.
    """
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) if text else 0.0
