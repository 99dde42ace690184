"""
Many patterns looked for in a text in one pass and in linear time, by RE2.
"""

from __future__ import annotations

from collections.abc import Iterable

import re2


class Phrases:
    """
    Patterns without regard to case. Safe to share between threads.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        options = re2.Options()
        options.case_sensitive = False
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        self._set.Compile()

    def among(self, text: str) -> list[int]:
        """
        The places of the patterns that occur in a text, in their order.
        """
        return sorted(self._set.Match(text.encode("utf-8", "replace")) or ())
