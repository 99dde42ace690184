"""
Signing in with a token, in a real browser: what the cookie is, what it is not, and what it does not let others do.
"""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.testclient import TestClient

from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from service.api.app import create_app
from service.demo import alerts, load
from service.settings import Settings
from service.wiring import Memory
from tests.browsing import looking, served
from tests.deployment import Deployment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HTML = {"accept": "text/html"}


@dataclass(frozen=True, slots=True)
class Site:
    url: str
    memory: Memory
    reader: str
    keeper: str


@pytest.fixture(scope="module")
def site(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """
    The demo organisation with tokens: of a reader, and of one who may do all.
    """
    memory = load(deployment.settings(tmp_path_factory.mktemp("session"), allowed_hosts=("precedent.test",)))
    reader = memory.tokens.issue("rita", ["read"])
    keeper = memory.tokens.issue("kim", ["read", "feedback", "admin"])
    with served(memory) as url:
        yield Site(url, memory, reader, keeper)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    with looking(browser, site.url) as found:
        yield found


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Your token").fill(token)
    page.get_by_role("button", name="Sign in").click()


Enter = Callable[[str], tuple[httpx2.Client, httpx2.Response]]


@pytest.fixture
def entered(site: Site) -> Iterator[Enter]:
    """
    Signs in with a token, as a client that keeps its cookie.
    """
    with ExitStack() as open_clients:

        def enter(token: str) -> tuple[httpx2.Client, httpx2.Response]:
            client = open_clients.enter_context(httpx2.Client(base_url=site.url))
            return client, client.post("/sign-in", data={"token": token, "next": "/sources"})

        yield enter


def test_whoever_signs_in_lands_where_he_wanted_to_go(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/services/checkout?as_of=2026-10-30T00:00:00Z")
    assert "/sign-in?next=" in page.url
    sign_in(page, "prc_wrong")
    assert "not known" in page.get_by_role("alert").inner_text()
    sign_in(page, site.reader)
    assert page.url == f"{site.url}/services/checkout?as_of=2026-10-30T00:00:00Z"
    assert "rita" in page.locator("header").inner_text()
    assert page.evaluate("document.cookie") == "", "a script can read the cookie"
    page.get_by_role("button", name="sign out").click()
    page.goto(f"{site.url}/services/checkout")
    assert "/sign-in" in page.url


def test_the_cookie_is_no_token_and_is_kept_to_this_site(site: Site, entered: Enter) -> None:
    client, answer = entered(site.reader)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sources")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"))
    assert "Secure" not in cookie
    assert "prc_" not in cookie
    value = cookie.split(";")[0].split("=", 1)[1]
    assert client.get("/sources").status_code == 200
    kept = site.memory.store.kept("sessions")
    assert kept
    assert all(value not in key and value.encode() not in body for key, body in kept.items())
    # nor does it count for the API, where a request carries its token
    assert client.get("/v1/services").status_code == 401
    assert httpx2.get(f"{site.url}/v1/services", headers={"authorization": f"Bearer {value}"}).status_code == 401


def test_behind_tls_the_cookie_is_secure_and_bound_to_its_host(deployment: Deployment, tmp_path: object) -> None:
    settings = Settings.model_validate({"data": tmp_path, "public_url": "https://precedent.test", "embedder": "none"})
    memory = load(settings)
    token = memory.tokens.issue("rita", ["read"])
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080") as client:
        answer = client.post("/sign-in", data={"token": token}, follow_redirects=False)
    assert answer.headers["set-cookie"].startswith("__Host-precedent=")
    assert "Secure" in answer.headers["set-cookie"]


def test_a_reader_sees_no_buttons_that_he_may_not_press(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/sign-in")
    sign_in(page, site.reader)
    page.get_by_label("Paste an alert").fill(alerts()[0].read_text())
    page.get_by_role("button", name="Answer", exact=True).click()
    assert page.get_by_role("button", name="useful", exact=True).count() == 0
    assert "feedback" in page.get_by_role("region", name="Was this of use?").inner_text()
    page.goto(f"{site.url}/identity")
    assert page.get_by_role("button", name="Decide").count() == 0


def test_a_form_needs_the_token_of_its_session(site: Site, entered: Enter) -> None:
    keeper, _ = entered(site.keeper)
    reader, _ = entered(site.reader)
    body = {"action": "reject", "name1": "checkout", "name2": "cart"}
    assert keeper.post("/identity", data=body).status_code == 403
    other = site.memory.sessions.csrf(reader.cookies["precedent"])
    assert keeper.post("/identity", data={**body, "csrf": other}).status_code == 403
    own = site.memory.sessions.csrf(keeper.cookies["precedent"])
    assert reader.post("/identity", data={**body, "csrf": other}).status_code == 403, "a reader decides nothing"
    for foreign in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "null"}):  # fmt: skip
        assert keeper.post("/identity", data={**body, "csrf": own}, headers=foreign).status_code == 403
    assert keeper.post("/identity", data={**body, "csrf": own}).status_code == 303


def test_a_session_ends_everywhere_and_with_its_token(site: Site, entered: Enter) -> None:
    client, _ = entered(site.reader)
    own = client.cookies["precedent"]
    assert client.get("/sources").status_code == 200
    assert client.post("/sign-out", data={"csrf": site.memory.sessions.csrf(own)}).status_code == 303
    again = httpx2.get(f"{site.url}/sources", headers={**HTML, "cookie": f"precedent={own}"})
    assert again.status_code == 303
    assert httpx2.get(f"{site.url}/sources", headers={"cookie": "precedent=made-up"}).status_code == 401


def test_nobody_is_sent_elsewhere_after_signing_in(site: Site) -> None:
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\nx", ""):
        answer = httpx2.post(f"{site.url}/sign-in", data={"token": site.reader, "next": wanted})
        assert answer.headers["location"] == "/", wanted


def test_no_page_stands_in_a_frame_or_loads_from_elsewhere(site: Site) -> None:
    for path in ("/sign-in", "/", "/sources"):
        headers = httpx2.get(site.url + path, headers={"authorization": f"Bearer {site.reader}"}).headers
        policy = headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"):  # fmt: skip
            assert part in policy
        assert "unsafe" not in policy


def test_a_link_from_another_site_is_followed_signed_in(browser: Browser, page: Page, site: Site) -> None:
    """
    A strict cookie does not come along with a link in a chat; the responder is not asked to sign in again for that.
    """
    page.goto(f"{site.url}/sign-in")
    sign_in(page, site.reader)

    class Chat(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f'<a href="{site.url}/services/checkout">look</a>'.encode())

        def log_message(self, *told: object) -> None:
            return

    chat = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=chat.serve_forever, daemon=True).start()
    there = page.context.new_page()
    # another host name, so another site
    there.goto(f"http://localhost:{chat.server_address[1]}/")
    there.get_by_role("link", name="look").click()
    there.wait_for_selector("text=What depends on it")
    assert there.url == f"{site.url}/services/checkout"
    chat.shutdown()
    chat.server_close()


def test_what_a_reader_may_not_see_is_on_no_page(site: Site, entered: Enter) -> None:
    """
    An answer asked by one who sees more stands in nobody else's list, and cannot be opened.
    """
    memory = site.memory
    secret = b'{"id": "c-secret", "at": "2026-10-30T13:59:00Z", "kind": "deploy", "service": "checkout", "title": "Secret thing"}'
    admit(
        memory.store, Source(name="secret", connector="changes", visibility=frozenset({"vip"})), secret, {"path": "s"}
    )
    drain(memory.store)
    memory.follow()
    insider = memory.tokens.issue("ines", ["read"], frozenset({"vip"}))
    asked, _ = entered(insider)
    answer = asked.post("/", data={"alert": alerts()[0].read_text()})
    told = asked.get(answer.headers["location"]).text
    assert "Secret thing" in told
    assert "Secret thing" in asked.get("/services/checkout").text
    other, _ = entered(site.reader)
    assert other.get(answer.headers["location"]).status_code == 404
    for path in ("/", "/services/checkout", "/search?q=c-secret", "/sources", "/identity", "/readiness"):
        shown = other.get(path).text
        assert "Secret thing" not in shown
        assert answer.headers["location"] not in shown
