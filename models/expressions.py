"""
What a query of a monitoring system names: its metrics, and the values that its selectors ask for.

Read by structure, not parsed: expressions come from several languages, with templates in them and quoting gone wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_COMMENT = re.compile(r"#[^\n]*")
_SELECTOR = re.compile(r"""([A-Za-z_][A-Za-z0-9_.]*)\s*(=~|=)\s*(["'])(.{0,300}?)(?<!\\)\3""", re.DOTALL)
_QUOTED = re.compile(r"""(["']).*?\1""", re.DOTALL)
_BRACES = re.compile(r"\{[^{}]*\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", re.IGNORECASE)
_WORD = re.compile(r"(?<![\w.:$])[A-Za-z_:][\w:.]*\b(?!\s*\()")
_NAMED = re.compile(r"""__name__\s*=~?\s*["']([^"']+)["']""")
_KEYWORDS = frozenset(["and", "or", "unless", "bool", "offset", "inf", "nan", "by", "on", "le", "without", "ignoring", "group_left", "group_right", "start", "end", "min", "max", "sum", "avg", "count", "default"])  # fmt: skip
_OPTIONAL = re.compile(r"\([^()]*\)[?*]")
_PATTERN = re.compile(r"[.*+?^$()\[\]\\{}]+")
PLATFORM = ("kube", "node", "container", "kubelet", "cadvisor", "machine", "up", "aws", "cloudwatch", "probe", "process", "go", "scrape", "ALERTS", "kubernetes", "windows")  # fmt: skip
"""First words of metrics that tell of the platform, whatever program runs on it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """
    Names of metrics, as written, and (label, value) of selectors with the patterns taken apart.
    """

    metrics: tuple[str, ...]
    selectors: tuple[tuple[str, str], ...]

    @property
    def platform(self) -> bool:
        """
        Whether all its metrics are the platform's own.
        """
        return bool(self.metrics) and all(metric.partition("_")[0] in PLATFORM for metric in self.metrics)


@lru_cache(maxsize=4096)
def read_expression(text: str) -> Expression:
    """
    The metrics and selectors of an expression; empty ones of the empty text.
    """
    body = _COMMENT.sub("", text[:20_000])
    selectors = [
        (match[1].lower(), value)
        for match in _SELECTOR.finditer(body)
        if match[1] != "__name__"
        for value in alternatives(match[4])
    ]
    bare = _GROUPING.sub(" ", _BRACES.sub(" ", _QUOTED.sub(" ", body)))
    found = [word for word in _WORD.findall(bare) if _is_metric(word)]
    found += [value for match in _NAMED.findall(body) for value in alternatives(match)]
    return Expression(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(selectors)))


def alternatives(pattern: str) -> list[str]:
    """
    The plain texts of a label's pattern: `^(orders|orders-worker).*` is `orders` and `orders-worker`.
    """
    if "{{" in pattern or "$" in pattern.rstrip("$"):
        return []
    plain = _OPTIONAL.sub("", pattern.replace("\\", ""))
    parts = (_PATTERN.sub(" ", part.replace(".*", " ").replace(".+", " ")).strip(" -_") for part in plain.split("|"))
    return [part for part in parts if len(part) > 1]


def _is_metric(word: str) -> bool:
    return word.lower() not in _KEYWORDS and ("_" in word or ":" in word or word in PLATFORM) and not word[0].isdigit()
