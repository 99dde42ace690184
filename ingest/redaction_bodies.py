"""
Secrets in whole documents: those too that an escape hides from the rules, which look at plain text.

JSON is read, and each of its strings is redacted as a reader will see it, together with its name. What is found is
replaced within that string alone, so that the document stays JSON. One without a secret keeps every byte. Of a
Kubernetes Secret every value is one, whatever its name, in JSON and in YAML.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise

from ingest.redaction import Redacted, Redactor, may_hold_a_secret, naming_rule
from ingest.redaction_encoded import unveil

_ESCAPE = re.compile(r"\\+(?:u00|x)([2-7][0-9a-fA-F])")
_APART = "\n\x1e\n"
"""Between strings that are looked at together; no rule reaches across."""
_NAMES = ("name", "key", "parameterkey", "header", "variable")
_VALUES = ("value", "parametervalue", "stringvalue", "string_value")
_MANIFEST = re.compile(r"(?m)^[ \t>|+-]*kind:[ \t]*[\"']?Secret[\"']?[ \t]*\r?$")
_APART_LINES = re.compile(r"^[ \t+>-]*(?:---|```.*|\.\.\.)[ \t]*\r?$")
_DATA = re.compile(r"^([ \t>|+-]*)(?:data|stringData):[ \t]*(\{.*\})?[ \t]*\r?$")
_ENTRY = re.compile(r"^([ \t>|+-]*(?:[\w.-]+|\"[^\"]*\"|'[^']*')[ \t]*:[ \t]*)(\S.*?)?[ \t]*\r?$")
_FLOW = re.compile(r"(:[ \t]*[\"']?)([^\s\"',{}]+)")
_KUBERNETES = "kubernetes-secret"
_HEADERS = ("bearer", "bearer-header", "cookie")
_KEY_BEGINS, _KEY_ENDS = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"), re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY")


class _Object(list[tuple[str, object]]):
    """
    An object with all its pairs: a name that stands twice must not hide what the first one says.
    """


def redact_body(redactor: Redactor, text: str) -> Redacted:
    """
    A document with every secret replaced.
    """
    return unveil(redactor, _open(redactor, text))


def _open(redactor: Redactor, text: str) -> Redacted:
    """
    Without the secrets that anybody can read.
    """
    if "\\" not in text and not may_hold_a_secret(text):
        return Redacted(text)
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        try:
            return _Json(redactor).document(text)
        except (ValueError, RecursionError):
            pass  # text that only begins like JSON
    text, kept = _manifests(redactor, text)
    plain = redactor.redact(text)
    if "\\" in text and (opened := _ESCAPE.sub(_unescaped, text)) != text:
        hidden = redactor.redact(opened)
        plain = hidden if len(hidden.found) > len(plain.found) else plain
    return Redacted(plain.text, (*kept, *plain.found)) if kept else plain


def _manifests(redactor: Redactor, text: str) -> tuple[str, tuple[str, ...]]:
    """
    The text without the values of Kubernetes Secrets in YAML, and what was found.
    """
    if "Secret" not in text or _MANIFEST.search(text) is None:
        return text, ()
    lines = text.split("\n")
    bounds = [-1, *(n for n, line in enumerate(lines) if _APART_LINES.match(line)), len(lines)]
    found = 0
    for first, last in pairwise(bounds):
        if any(_MANIFEST.match(line) for line in lines[first + 1 : last]):
            found += _blank(redactor, lines, first + 1, last)
    return "\n".join(lines), (_KUBERNETES,) * found


def _blank(redactor: Redactor, lines: list[str], first: int, last: int) -> int:
    found, depth, inner = 0, -1, -1
    for number in range(first, last):
        line = lines[number]
        indent = _indent(line)
        if depth >= 0 and line.strip(" \t+>|-") and indent <= depth:
            depth = inner = -1
        opened = _DATA.match(line)
        if depth < 0 and opened:
            depth = indent
            if opened[2]:
                lines[number] = _FLOW.sub(lambda mark: mark[1] + _marked(redactor, mark[2]), line)
                found += lines[number] != line
        elif depth >= 0 and line.strip():
            entry = _ENTRY.match(line) if inner < 0 or indent <= inner else None
            inner = indent if entry else inner
            before, value = (entry[1], entry[2] or "") if entry else (line[: _width(line)], line[_width(line) :])
            plain = value.strip("\"'")
            if plain and plain[:1] not in ("|", ">", "{", "$"):
                lines[number] = before + _marked(redactor, plain)
                found += lines[number] != line
    return found


def _width(line: str) -> int:
    return len(line) - len(line.lstrip(" \t+>|-"))


def _indent(line: str) -> int:
    """
    How far a line is set in, the sign of a diff and a quote's mark left out.
    """
    inside = line.lstrip("+>|") if line[:1] in "+>|" else line[1:] if line[:1] == "-" and line[1:2] == " " else line
    return len(inside) - len(inside.lstrip(" \t"))


def _marked(redactor: Redactor, value: str) -> str:
    return value if "[redacted:" in value else redactor.mark(_KUBERNETES, value)


def _unescaped(match: re.Match[str]) -> str:
    """
    The character of an escape, where it cannot end a text or begin another escape.
    """
    char = chr(int(match.group(1), 16))
    return char if char.isalnum() or char in "-_.:/+=@ " else match.group(0)


class _Json:
    """
    The walk over one document; `found` is what it met.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._found: list[str] = []

    def document(self, text: str) -> Redacted:
        """
        The document redacted. ValueError where it is no JSON, RecursionError where it is nested too deep.
        """
        value = json.loads(text.lstrip("\ufeff"), object_pairs_hook=_Object)
        if not self._suspicious(value):
            return Redacted(text)
        clean = self._clean("", value)
        if not self._found:
            return Redacted(text)
        return Redacted(json.dumps(clean, ensure_ascii=False, separators=(",", ":")), tuple(self._found))

    def _suspicious(self, value: object) -> bool:
        """
        A quick look at all strings at once. It may suspect too much, never too little.
        """
        names, strings = _leaves(value)
        if any(naming_rule(name) is not None for name in names):
            return True
        together = _APART.join(strings)
        if "\\" in together and _ESCAPE.search(together):
            return True
        return ("Secret" in together and "kind" in together) or bool(self._redactor.redact(together).found)

    def _clean(self, name: str, value: object) -> object:
        if isinstance(value, _Object):
            return self._object(value)
        if isinstance(value, list):
            return self._list(name, value)
        if isinstance(value, str):
            return self._string(name, value)
        if name and isinstance(value, int | float) and not isinstance(value, bool):
            # a password may be a number; it is a text when it is redacted
            clean = self._string(name, str(value))
            return value if clean == str(value) else clean
        return value

    def _list(self, name: str, values: list[object]) -> list[object]:
        """
        Of a list, where an option or a header stands before its value, and a key lies in lines.
        """
        names = [before if self._announces(before) else name for before in ["", *values]]
        clean: list[object] = []
        inside = False
        for each, one in zip(names, values, strict=False):
            begins = isinstance(one, str) and "\n" not in one and _KEY_BEGINS.search(one) is not None
            inside = inside or begins
            if inside and isinstance(one, str):
                clean.append(self._redactor.mark("pem", one))
                self._found.append("pem")
                inside = _KEY_ENDS.search(one) is None
            else:
                clean.append(self._clean(str(each), one))
        return clean

    def _announces(self, value: object) -> bool:
        if not isinstance(value, str):
            return False
        rule = naming_rule(value) if "-" in value or value.lower() in ("authorization", "cookie") else None
        return value[:1] == "-" or (rule is not None and rule.id in _HEADERS)

    def _object(self, pairs: _Object) -> dict[str, object]:
        called = next((one for name, one in pairs if name.lower() in _NAMES and isinstance(one, str)), "")
        secret = any(name == "kind" and one == "Secret" for name, one in pairs)
        clean: dict[str, object] = {}
        for name, one in pairs:
            meant = called if name.lower() in _VALUES and naming_rule(called) is not None else name
            if secret and name in ("data", "stringData") and isinstance(one, _Object):
                clean[name] = {self._string("", key): self._blanked(each) for key, each in one}
            else:
                clean[self._string("", name)] = self._clean(meant, one)
        return clean

    def _blanked(self, value: object) -> object:
        if not isinstance(value, str) or not value or "[redacted:" in value:
            return value
        self._found.append(_KUBERNETES)
        return self._redactor.mark(_KUBERNETES, value)

    def _string(self, name: str, text: str) -> str:
        found = redact_body(self._redactor, text)
        if not found.found:
            found = self._redactor.redact_value(name, text)
        self._found += found.found
        return found.text


def _leaves(value: object) -> tuple[set[str], list[str]]:
    """
    The names of all strings and numbers, and their texts; each name is a text, too, and some words are names.
    """
    names: set[str] = set()
    texts: list[str] = []
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        name, one = waiting.pop()
        if isinstance(one, str):
            names.add(name)
            texts.append(one)
            if name.lower() in _NAMES:
                names.add(one)
        elif isinstance(one, _Object):
            texts += [key for key, _ in one]
            waiting += one
        elif isinstance(one, list):
            waiting += [(name, each) for each in one]
            # in their order once more, since a key may lie in lines
            words = [each for each in one if isinstance(each, str) and _is_name(each)]
            names.update(words)
            texts += words
        elif isinstance(one, int | float) and not isinstance(one, bool):
            names.add(name)
            texts.append(str(one))
    return names, texts


def _is_name(word: str) -> bool:
    return word[:1] == "-" or word.lower() in ("authorization", "cookie", "set-cookie")
