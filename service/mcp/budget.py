"""
How long an answer may be, in tokens of the shipped WordPiece tokenizer (all-MiniLM-L6-v2). It gives every quotation
mark, brace and comma a token of its own, which the tokenizers of large models do not.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import orjson

from models.parameters import WEIGHTS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER = "WordPiece of all-MiniLM-L6-v2"
BUDGETS = {"brief": 600, "normal": 1200, "full": 4000}


@cache
def _tokenizer() -> Tokenizer:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


def tokens(text: str) -> int:
    """
    The tokens of a text. A word that is too long to be split counts by its length.
    """
    found = _tokenizer().encode(text, add_special_tokens=False)
    unknown = (end - start for name, (start, end) in zip(found.tokens, found.offsets, strict=True) if name == "[UNK]")
    return len(found.ids) + sum(length // 3 for length in unknown)


def size(value: object) -> int:
    """
    The tokens of a value as JSON. They are those of its parts and of the signs between, since no word reaches over a
    sign; so a value that is measured again and again while it is cut is split but once.
    """
    signs = 2 + max(0, len(value) - 1) if isinstance(value, dict | list) else 0
    if isinstance(value, dict):
        return signs + sum(_leaf(name) + 1 + size(one) for name, one in value.items())
    return signs + sum(map(size, value)) if isinstance(value, list) else _leaf(value)


@lru_cache(maxsize=8192, typed=True)
def _leaf(value: object) -> int:
    return tokens(orjson.dumps(value).decode())
