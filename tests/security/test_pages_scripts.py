"""
A thousand texts that want to run, in alerts, postmortems, names of services, commit messages and runbooks, on every page
in a real browser: none runs, the browser reports nothing, and nothing of them is markup. Once with the pages' policy for
content, and once with the browser told to ignore it, so that each of the two lines of defence holds alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import yaml

from graph.contract import Store
from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from service.settings import Settings
from service.wiring import open_memory
from tests.browsing import served
from tests.security.scripts_in_text import payloads

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PAYLOADS = payloads()
GROUP = 40
GROUPS = [PAYLOADS[at : at + GROUP] for at in range(0, len(PAYLOADS), GROUP)]
WATCH = """
window.told = [];
window.ran = (number) => window.told.push('ran ' + number);
for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => window.told.push(name);
document.addEventListener('securitypolicyviolation', (event) => window.told.push(
    'refused ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
"""
FOREIGN = """() => [...document.querySelectorAll('*')].flatMap((one) => {
    const own = ['HTML', 'HEAD', 'META', 'LINK', 'TITLE'].includes(one.tagName);
    const attributes = [...one.attributes].filter((a) => a.name.startsWith('on')
        || (['href', 'src', 'action', 'formaction', 'xlink:href', 'data', 'srcdoc'].includes(a.name)
            && !/^(\\/|#|\\?|https?:\\/\\/|mailto:)/i.test(a.value)));
    const tag = ['IFRAME', 'OBJECT', 'EMBED', 'IMG', 'BASE', 'STYLE', 'MATH', 'VIDEO', 'AUDIO', 'MARQUEE', 'TEMPLATE',
        'NOSCRIPT', 'FOREIGNOBJECT', 'ANIMATE', 'SET', 'X'].includes(one.tagName.toUpperCase())
        || (one.tagName.toUpperCase() === 'SCRIPT' && one.getAttribute('src') !== '/page.js')
        || (own && one.tagName === 'META' && one.httpEquiv);
    return [...attributes.map((a) => `${one.tagName} ${a.name}=${a.value}`), ...(tag ? [one.outerHTML.slice(0, 90)] : [])];
})"""


def name_of(number: int) -> str:
    """
    A service's name that is hostile itself, without what a catalogue's reference takes apart.
    """
    return f"s{number:02d} " + re.sub(r"[/:,;\\]", " ", GROUPS[number][number % GROUP])[:60].strip()


def fill(store: Store) -> None:
    """
    Each group in every carrier of a service of its own.
    """
    for number, group in enumerate(GROUPS):
        service = name_of(number)
        component = {
            "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
            "metadata": {"name": service, "description": group[0], "title": group[1], "annotations": {f"a{at}": one for at, one in enumerate(group)}},
            "spec": {"type": "service", "lifecycle": group[2], "owner": f"t{number} " + re.sub(r"[/:,;\\]", " ", group[3]), "dependsOn": [f"component:{name_of((number + 1) % len(GROUPS))}"]},
        }  # fmt: skip
        _admit(store, f"catalog-{number}", "backstage", yaml.safe_dump(component).encode(), "catalog-info.yaml")
        changes = [
            {"id": f"c-{number}-{at} {one}", "at": f"2026-10-30T13:{at:02d}:00Z", "kind": "code", "service": service, "title": one,
             "text": one, "actor": one, "revision": one, "environment": one, "url": f"https://git.example/{one}"}
            for at, one in enumerate(group)
        ]  # fmt: skip
        _admit(store, "commits", "changes", "\n".join(map(json.dumps, changes)).encode(), f"{number}.jsonl")
        incident = {
            "id": f"INC-{number}", "title": group[4], "services": [service], "started_at": "2026-10-03T10:00:00Z", "severity": group[5],
            "summary": f"Errors. {' '.join(group)}", "resolution": f"Rolled back {group[6]} and it recovered. Restarted {group[7]}.",
            "timeline": "\n".join(f"- 10:02 {one}" for one in group), "alerts": [f"Errors{number}", *group], "cause_kind": group[8],
            "action_items": "\n".join(f"- [ ] {one}" for one in group), "url": group[9], "caused_by": [f"c-{number}-0 {group[0]}"],
        }  # fmt: skip
        _admit(store, "reports", "postmortems", json.dumps(incident).encode(), f"{number}.json")
        page = f"# Errors{number} {group[10]}\n\n## Steps {group[11]}\n\n" + "\n".join(f"1. {one}" for one in group)
        _admit(store, "pages", "runbooks", page.encode(), f"{number}.md")
        _admit(store, f"broken {group[12]}", "changes", b'{"id": "x"}', f"{group[13]}.jsonl")
    alerts = json.dumps(
        {"version": "4", "status": "firing", "receiver": "p", "alerts": [alert(n) for n in range(len(GROUPS))]}
    )
    _admit(store, "alerts", "alertmanager", alerts.encode(), "a.json")
    drain(store)


def _admit(store: Store, source: str, kind: str, body: bytes, path: str) -> None:
    admit(store, Source(name=source, connector=kind), body, {"path": path})


def alert(number: int) -> dict[str, Any]:
    group = GROUPS[number]
    labels = {
        "alertname": f"Errors{number}",
        "service": name_of(number),
        **{f"l{at}": one for at, one in enumerate(group)},
    }
    if number % 2:
        labels["alertname"] = group[0]
    notes = {"summary": group[14], "runbook_url": group[15], **{f"n{at} {one}": one for at, one in enumerate(group)}}
    return {"status": "firing", "labels": labels, "annotations": notes, "startsAt": "2026-10-30T14:05:00Z", "generatorURL": group[16]}  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    memory = open_memory(Settings(data=tmp_path_factory.mktemp("scripts"), embedder="none"))
    fill(memory.store)
    memory.follow()
    with served(memory) as found:
        yield found


@pytest.fixture(params=[False, True], ids=["with the policy", "without it"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    found = browser.new_context(bypass_csp=request.param)
    found.add_init_script(WATCH)
    yield found
    found.close()


def harmless(page: Page, seen: list[str]) -> None:
    """
    Nothing ran on the page, nothing was refused, and nothing in it is not ours.
    """
    wrong = page.evaluate("window.told") + page.evaluate(FOREIGN)
    assert wrong == [], page.url
    seen.append(page.locator("body").inner_text())


def test_the_texts_do_run_where_nothing_stops_them(browser: Browser) -> None:
    """
    Else the tests below would prove nothing.
    """
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    ran = set()
    for text in PAYLOADS[COUNTED]:
        page.goto("about:blank")
        page.set_content(f"<body><p>{text}</p></body>", wait_until="commit")
        ran |= {one for one in page.evaluate("window.told") if one.startswith("ran")}
    context.close()
    assert len(ran) >= 20


COUNTED = slice(400, 650)


def test_no_text_of_a_source_runs_or_becomes_markup(context: BrowserContext, url: str) -> None:
    page = context.new_page()
    page.set_default_timeout(10_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.on("request", lambda asked: None if asked.url.startswith(url) else errors.append(f"asked {asked.url[:80]}"))
    seen: list[str] = []
    for path in ("", "/services", "/sources", "/identity", "/readiness"):
        page.goto(url + path)
        harmless(page, seen)
    for number, group in enumerate(GROUPS):
        for path in (f"/services/{quote(name_of(number), safe='')}", f"/incidents/INC-{number}",
                     f"/search?q={quote(group[number % GROUP])}"):  # fmt: skip
            page.goto(url + path)
            harmless(page, seen)
        page.goto(url)
        page.get_by_label("Paste an alert").fill(json.dumps({"version": "4", "status": "firing", "receiver": "p", "alerts": [alert(number)]}))  # fmt: skip
        page.get_by_role("button", name="Answer", exact=True).click()
        assert "/answers/" in page.url, page.locator("main").inner_text()[:200]
        harmless(page, seen)
    assert errors == []
    shown = "\n".join(seen)
    assert sum(one in shown for one in PAYLOADS) > 600, "the texts were to be seen, as texts"
