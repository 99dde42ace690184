"""
Secrets in whole documents: those too that an escape hides from the rules, which look at plain text.

JSON is read, and each of its strings is redacted as a reader will see it, together with its name. What is found is
replaced within that string alone, so that the document stays JSON. One without a secret keeps every byte.
"""

from __future__ import annotations

import json
import re

from ingest.redaction import Redacted, Redactor, may_hold_a_secret, naming_rule

_ESCAPE = re.compile(r"\\+(?:u00|x)([2-7][0-9a-fA-F])")
_APART = "\n\x1e\n"
"""Between strings that are looked at together; no rule reaches across."""
_NAMES, _VALUE = ("name", "key"), "value"


class _Object(list[tuple[str, object]]):
    """
    An object with all its pairs: a name that stands twice must not hide what the first one says.
    """


def redact_body(redactor: Redactor, text: str) -> Redacted:
    """
    A document with every secret replaced.
    """
    if "\\" not in text and not may_hold_a_secret(text):
        return Redacted(text)
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        try:
            return _Json(redactor).document(text)
        except (ValueError, RecursionError):
            pass  # text that only begins like JSON
    plain = redactor.redact(text)
    if "\\" in text and (opened := _ESCAPE.sub(_unescaped, text)) != text:
        hidden = redactor.redact(opened)
        return hidden if len(hidden.found) > len(plain.found) else plain
    return plain


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
        return bool(self._redactor.redact(together).found)

    def _clean(self, name: str, value: object) -> object:
        if isinstance(value, _Object):
            return self._object(value)
        if isinstance(value, list):
            names = [before if isinstance(before, str) and before[:1] == "-" else name for before in ["", *value]]
            return [self._clean(each, one) for each, one in zip(names, value, strict=False)]
        if isinstance(value, str):
            return self._string(name, value)
        if name and isinstance(value, int | float) and not isinstance(value, bool):
            # a password may be a number; it is a text when it is redacted
            clean = self._string(name, str(value))
            return value if clean == str(value) else clean
        return value

    def _object(self, pairs: _Object) -> dict[str, object]:
        called = next((one for name, one in pairs if name in _NAMES and isinstance(one, str)), "")
        clean: dict[str, object] = {}
        for name, one in pairs:
            meant = called if name == _VALUE and naming_rule(called) is not None else name
            clean[self._string("", name)] = self._clean(meant, one)
        return clean

    def _string(self, name: str, text: str) -> str:
        found = redact_body(self._redactor, text)
        if not found.found:
            found = self._redactor.redact_value(name, text)
        self._found += found.found
        return found.text


def _leaves(value: object) -> tuple[set[str], list[str]]:
    """
    The names of all strings and numbers, and their texts; each name is a text, too, and so is each word of a list.
    """
    names: set[str] = set()
    texts: list[str] = []
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        name, one = waiting.pop()
        if isinstance(one, str):
            names.add(name)
            texts.append(one)
            if name in _NAMES:
                names.add(one)
        elif isinstance(one, _Object):
            for key, each in one:
                texts.append(key)
                # most are plain, and need not wait
                if type(each) is str and key not in _NAMES:
                    names.add(key)
                    texts.append(each)
                else:
                    waiting.append((key, each))
        elif isinstance(one, list):
            waiting += [(name, each) for each in one]
            names.update(each for each in one if isinstance(each, str) and each[:1] == "-")
        elif isinstance(one, int | float) and not isinstance(one, bool):
            names.add(name)
            texts.append(str(one))
    return names, texts
