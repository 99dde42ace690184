"""
A source's words on a page: Markdown without HTML through an allow-list, and signs that no reader sees made visible.

Nothing that comes out of here loads, runs or leaves: no HTML of the source's own, no images, no relative addresses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

LONGEST = 20_000
"""Characters of a text that are rendered; of a longer one the rest is left out, with a sign."""
SCHEMES = frozenset({"http", "https", "mailto"})
TAGS = frozenset(
    {"p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr"},
)
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_MAYBE = re.compile(r"[^\t\n\r -~\u00a0-\u02ff\u0370-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\ud7ff]|\u00ad|\u061c")
"""What may hide; tested first, since most texts have nothing of the kind."""


def rendered(text: object) -> Markup:
    """
    Stored Markdown as HTML that is safe to show.
    """
    given = str(text or "")
    cut = given[:LONGEST] + ("\n\n…" if len(given) > LONGEST else "")
    made = _parser().render(visible_text(cut))
    clean = nh3.clean(
        made,
        tags=set(TAGS),
        attributes={"a": {"href"}},
        attribute_filter=_kept,
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)


def address(url: object) -> str | None:
    """
    An address that a reader may follow; None for any other, a relative one too.
    """
    text = str(url or "").strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    web = parts.scheme in ("http", "https") and bool(parts.hostname)
    return text if web and text.isprintable() else None


def visible(value: object) -> object:
    """
    A value on its way into a page: in a text, what no reader sees or what turns the line around is spelled out.
    """
    return visible_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def visible_text(text: str) -> str:
    """
    A text with every hidden sign as its code point.
    """
    return _MAYBE.sub(lambda found: _shown(found[0]), text)


def _shown(sign: str) -> str:
    hidden = unicodedata.category(sign) in _HIDDEN
    return f"⟨U+{ord(sign):04X}⟩" if hidden and sign not in "\t\n\r" else sign


def _kept(tag: str, name: str, value: str) -> str | None:
    return value if name != "href" or urlsplit(value).scheme in SCHEMES else None


@cache
def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False})
    made.add_render_rule("image", _image)
    made.add_render_rule("heading_open", lambda *_: "<p><strong>")
    made.add_render_rule("heading_close", lambda *_: "</strong></p>")
    return made


def _image(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """
    No image: what stands for it.
    """
    return f"[image: {escape(tokens[at].content)}]"
