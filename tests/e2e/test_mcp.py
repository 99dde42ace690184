"""
Agents ask through the SDK's own client, over both transports: a process of ours, and a server of ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import jsonschema  # type: ignore[import-untyped]  # it has none
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import methods
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from ingest.contract import Source
from ingest.journal import admit
from ingest.pipeline import drain
from service import VERSION
from service.demo import FOLDER, alerts, load
from service.mcp.budget import BUDGETS, TOKENIZER, size, tokens
from service.mcp.tools import TOOLS
from service.settings import Settings
from service.wiring import open_memory

ROOT = Path(__file__).resolve().parents[2]
PATH = {"PATH": "/usr/bin:/bin"}
SECRET = b"---\nid: SEC-1\ntitle: Connection pool exhausted by a stranger in the vault\nservices: [checkout]\nstarted: 2026-10-01T10:00:00Z\n---\n# Connection pool exhausted by a stranger in the vault\n\n## Resolution\n\nRotated the credentials of `vault`.\n"
Result = TypeVar("Result")
Opened = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Served:
    """
    A data directory with a server over it, and the tokens for it.
    """

    data: Path
    address: str
    tokens: Mapping[str, str]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "service.cli", *arguments]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The demo organisation, where no tokens are in use.
    """
    data = tmp_path_factory.mktemp("plain") / "data"
    load(Settings(data=data)).close()
    return data


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """
    The demo organisation and a restricted postmortem, served by a process of its own, with tokens.
    """
    data = tmp_path_factory.mktemp("served") / "data"
    memory = load(Settings(data=data))
    admit(
        memory.store,
        Source(name="secret", connector="postmortems", visibility=frozenset({"security"})),
        SECRET,
        {"path": "s.md"},
    )
    drain(memory.store)
    port = free_port()
    made = {
        "reader": memory.tokens.issue("reader", ["read"]), "writer": memory.tokens.issue("writer", ["ingest"]),
        "guard": memory.tokens.issue("guard", ["read"], frozenset({"security"})),
        "elsewhere": memory.tokens.issue("elsewhere", ["read"], audience="https://other.example/mcp"),
        "here": memory.tokens.issue("here", ["read"], audience=f"http://127.0.0.1:{port}/mcp"),
    }  # fmt: skip
    memory.close()
    variables = {**PATH, "PRECEDENT_ALLOWED_ORIGINS": "https://agents.example"}
    process = subprocess.Popen(
        command("serve", "--data", str(data), "--port", str(port), "--json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env=variables,
        text=True,
    )
    try:
        assert process.stdout
        address = json.loads(process.stdout.readline())["address"]
        yield Served(data, address, made)
    finally:
        process.send_signal(signal.SIGTERM)
        # it ends in order, and then by the signal, as whoever sent it expects
        assert process.wait(30) == -signal.SIGTERM
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe


def free_port() -> int:
    """
    A port that nobody listens on.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def stdio(data: Path, token: str | None = None, mode: str = "auto") -> AsyncIterator[Client]:
    variables = {**PATH, **({"PRECEDENT_TOKEN": token} if token else {})}
    program, *arguments = command("mcp", "--data", str(data))
    parameters = StdioServerParameters(command=program, args=arguments, cwd=ROOT, env=variables)
    async with Client(stdio_client(parameters), mode=mode) as client:
        yield client


@asynccontextmanager
async def http(served: Served, who: str = "reader", mode: str = "auto") -> AsyncIterator[Client]:
    headers = {"authorization": f"Bearer {served.tokens[who]}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as line,
        Client(streamable_http_client(f"{served.address}/mcp", http_client=line), mode=mode) as client,
    ):
        yield client


def said(result: Any) -> str:
    """
    The short text beside the structure: the only content.
    """
    (content,) = result.content
    return str(content.text)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@pytest.fixture(params=["stdio", "http", "http, before 2026"])
def opened(request: pytest.FixtureRequest) -> Opened:
    """
    A client over each transport, and as clients were before the protocol lost its sessions.
    """
    if request.param == "stdio":
        data: Path = request.getfixturevalue("plain")
        return lambda: stdio(data)
    served: Served = request.getfixturevalue("served")
    return lambda: http(served, mode="auto" if request.param == "http" else "legacy")


def test_five_read_only_tools_within_1500_tokens(opened: Opened) -> None:
    async def ask() -> None:
        async with opened() as client:
            listed = (await client.list_tools()).tools
            assert [one.name for one in listed] == ["alert_context", "owner", "changes", "similar_incidents", "runbook"]
            assert all(one.annotations.read_only_hint and one.annotations.open_world_hint is False for one in listed)
            body = [one.model_dump(by_alias=True, exclude_none=True, mode="json") for one in listed]
            assert TOKENIZER == "WordPiece of all-MiniLM-L6-v2"
            assert size(body) == tokens(json.dumps(body, separators=(",", ":"))) < 1500
            assert client.server_info is not None
            assert client.server_info.name == "precedent"
            assert client.server_info.version == VERSION

    run(ask())


def test_an_alert_is_answered_whole_and_short(opened: Opened) -> None:
    async def ask() -> None:
        async with opened() as client:
            raw = json.loads(alerts()[0].read_text())
            result = await client.call_tool("alert_context", {"alert": raw})
            found = result.structured_content
            assert not result.is_error
            assert found["service"]["candidates"][0]["id"] == "service:checkout"
            assert found["owner"]["team"] == "team:checkout"
            assert found["owner"]["answers_now"] == ["person:selma"]
            assert found["changes"]["suspects"][0]["id"] == "d-0407"
            assert found["changes"]["suspects"][0]["untrusted_text"]["text"] == "Vouchers can be split over two orders"
            assert found["precedents"][0]["id"] == "LK-137"
            best = found["fixes"][0]
            assert {key: best[key] for key in ("action", "target", "sources")} == {
                "action": "rollback",
                "target": "checkout",
                "sources": 2,
            }
            assert best["worked"] >= 3
            assert said(result).startswith("service: service:checkout (0.98)\nowner: team:checkout, now person:selma\n")
            jsonschema.validate(found, TOOLS["alert_context"].whole()["output"])

    run(ask())


def test_ten_real_answers_fit_their_budgets(served: Served) -> None:
    lines = (FOLDER / "alertmanager/2026-10.jsonl").read_text().splitlines()
    payloads = {json.loads(line)["alerts"][0]["labels"]["alertname"]: json.loads(line) for line in lines}
    payloads |= {path.stem: json.loads(path.read_text()) for path in alerts()}
    assert len(payloads) >= 10

    async def ask() -> None:
        async with http(served) as client:
            for name, payload in payloads.items():
                for detail, budget in BUDGETS.items():
                    result = await client.call_tool("alert_context", {"alert": payload, "detail": detail})
                    whole = size(result.structured_content) + tokens(said(result))
                    assert whole <= budget, (name, detail)
                    assert result.structured_content["service"] is not None

    run(ask())


def test_each_drill_down_answers_in_its_shape(opened: Opened) -> None:
    questions: list[tuple[str, dict[str, object], Callable[[Any], bool]]] = [
        ("owner", {"service": "checkout"}, lambda found: found["owner"]["team"] == "team:checkout"),
        ("owner", {"service": "no such thing at all"}, lambda found: found["service"] is None and found["owner"] is None),
        ("changes", {"service": "checkout", "limit": 3}, lambda found: [one["id"] for one in found["changes"]] == ["d-0407", "cfg-7776", "d-0362"]),
        ("similar_incidents", {"text": "connection pool exhausted"}, lambda found: found["precedents"][0]["id"] == "LK-137" and bool(found["fixes"])),
        ("runbook", {"text": "connection pool exhausted"}, lambda found: "larkctl rollback checkout" in found["runbooks"][0]["untrusted_text"]["text"]),
    ]  # fmt: skip

    async def ask() -> None:
        async with opened() as client:
            for name, arguments, right in questions:
                result = await client.call_tool(name, arguments)
                assert not result.is_error
                assert right(result.structured_content), (name, result.structured_content)
                jsonschema.validate(result.structured_content, TOOLS[name].whole()["output"])
                assert size(result.structured_content) + tokens(said(result)) <= BUDGETS["normal"]

    run(ask())


def test_pages_by_cursor_hold_every_change_once(served: Served) -> None:
    async def ask() -> None:
        async with http(served) as client:
            seen: list[str] = []
            arguments: dict[str, object] = {"start": "2026-10-01T00:00:00Z", "limit": 50}
            cursor: str | None = None
            while True:
                page = {**arguments, **({"cursor": cursor} if cursor else {})}
                found = (await client.call_tool("changes", page)).structured_content
                seen += [one["id"] for one in found["changes"]]
                cursor = found.get("next_cursor")
                if cursor is None:
                    break
            async with httpx2.AsyncClient(headers={"authorization": f"Bearer {served.tokens['reader']}"}) as line:
                answer = await line.get(f"{served.address}/v1/changes?start=2026-10-01T00:00:00Z&limit=1000")
            assert sorted(seen) == sorted(one["id"] for one in answer.json()["changes"])
            assert len(seen) == len(set(seen)) > 100
            first = (await client.call_tool("changes", arguments)).structured_content["next_cursor"]
            for other in ({"limit": 5, "cursor": first}, {**arguments, "cursor": first[:-3] + "AAA"}, {"cursor": "x"}):
                refused = await client.call_tool("changes", other)
                assert refused.is_error
                assert said(refused) == "`cursor` belongs to another question or was altered; ask again without it"

    run(ask())


def test_a_runbook_is_read_to_its_end(served: Served) -> None:
    async def ask() -> None:
        async with http(served) as client:
            found = (await client.call_tool("runbook", {"text": "certificate expired"})).structured_content
            page = found["runbooks"][0]["id"]
            text, cursor = "", None
            while True:
                asked = {"id": page, **({"cursor": cursor} if cursor else {})}
                part = (await client.call_tool("runbook", asked)).structured_content
                text += part["runbooks"][0]["untrusted_text"]["text"]
                cursor = part.get("next_cursor")
                if cursor is None:
                    break
            assert "Steps" in text

    run(ask())


def test_resources_of_entities_and_incidents(opened: Opened) -> None:
    async def ask() -> None:
        async with opened() as client:
            templates = (await client.list_resource_templates()).resource_templates
            assert [one.uri_template for one in templates] == ["precedent://entity/{+id}", "precedent://incident/{+id}"]
            names, cursor = [], None
            while True:
                page = await client.list_resources(cursor=cursor)
                names += [one.name for one in page.resources]
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert "service:checkout" in names
            assert len(names) == len(set(names)) > 50
            entity = json.loads((await client.read_resource("precedent://entity/service:checkout")).contents[0].text)
            assert entity["owner"]["team"] == "team:checkout"
            assert "service:payments" in entity["depends_on"]
            team = json.loads((await client.read_resource("precedent://entity/team:checkout")).contents[0].text)
            owned = [one["subject"] for one in team["relations"] if one["kind"] == "owned_by"]
            assert "service:checkout" in owned
            incident = json.loads((await client.read_resource("precedent://incident/LK-137")).contents[0].text)
            assert incident["tried"] == [{"action": "rollback", "target": "checkout", "worked": True}]
            schema = json.loads((await client.read_resource("precedent://schema/owner")).contents[0].text)
            assert schema == TOOLS["owner"].whole()
            for uri in (
                "precedent://incident/LK-999",
                "precedent://entity/team:nobody",
                "precedent://entity/x:y",
                "file:///etc/passwd",
            ):
                with pytest.raises(MCPError, match="there is nothing of that id"):
                    await client.read_resource(uri)

    run(ask())


def test_a_label_is_needed_to_see_what_carries_it(served: Served) -> None:
    async def ask(token: str) -> tuple[bool, bool, bool]:
        async with http(served, token) as client:
            question = {"text": "connection pool exhausted by a stranger in the vault", "limit": 50}
            found = (await client.call_tool("similar_incidents", question)).structured_content
            alert = (
                await client.call_tool(
                    "alert_context", {"alert": "connection pool exhausted by a stranger in the vault of checkout"}
                )
            ).structured_content
            try:
                await client.read_resource("precedent://incident/SEC-1")
                read = True
            except MCPError:
                read = False
            return "SEC-1" in json.dumps(found), "vault" in json.dumps(alert["precedents"]), read

    assert run(ask("guard")) == (True, True, True)
    assert run(ask("reader")) == (False, False, False)

    async def over_stdio(token: str) -> bool:
        async with stdio(served.data, served.tokens[token]) as client:
            found = (
                await client.call_tool("similar_incidents", {"text": "a stranger in the vault", "limit": 50})
            ).structured_content
            return "SEC-1" in json.dumps(found)

    assert run(over_stdio("guard"))
    assert not run(over_stdio("reader"))


@pytest.mark.parametrize("token", ["", "prc_unknown", "writer", "here"])
def test_stdio_without_a_fitting_token_ends_at_once(served: Served, token: str) -> None:
    variables = {**PATH, "PRECEDENT_TOKEN": served.tokens.get(token, token)}
    done = subprocess.run(
        command("mcp", "--data", str(served.data)),
        cwd=ROOT,
        env=variables,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "tokens are in use here: set PRECEDENT_TOKEN" in done.stderr


def post(served: Served, method: str, version: str = LATEST_MODERN_VERSION, **more: Any) -> httpx2.Response:
    """
    One request as it goes over the wire.
    """
    params: dict[str, Any] = more.pop("params", {})
    meta = {
        "io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }  # fmt: skip
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {**params, **({"_meta": meta} if version == LATEST_MODERN_VERSION else {})},
    }
    headers = {
        "accept": "application/json, text/event-stream", "mcp-protocol-version": version, "mcp-method": method,
        "authorization": f"Bearer {served.tokens['reader']}", **more.pop("headers", {}),
    }  # fmt: skip
    name = params.get("name") or params.get("uri")
    if name:
        headers["mcp-name"] = name
    given = {key: value for key, value in headers.items() if value is not None}
    return httpx2.post(f"{served.address}/mcp", json=body, headers=given, timeout=30)


@pytest.mark.parametrize("version", [LATEST_MODERN_VERSION, LATEST_HANDSHAKE_VERSION])
def test_what_is_sent_is_what_the_published_schema_says(served: Served, version: str) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("tools/list", {}), ("resources/list", {}), ("resources/templates/list", {}),
        ("resources/read", {"uri": "precedent://entity/service:checkout"}),
        ("tools/call", {"name": "owner", "arguments": {"service": "checkout"}}),
        ("tools/call", {"name": "changes", "arguments": {"limit": 0}}),
        ("tools/call", {"name": "alert_context", "arguments": {"alert": "checkout is slow"}}),
    ]  # fmt: skip
    if version == LATEST_MODERN_VERSION:
        calls.append(("server/discover", {}))
    for method, params in calls:
        answer = post(served, method, version, params=params)
        assert answer.status_code == 200, (method, answer.text)
        methods.validate_server_result(method, version, answer.json()["result"])
    assert "mcp-session-id" not in answer.headers


def test_who_may_not_ask_is_told_where_a_token_can_be_had(served: Served) -> None:
    metadata = f"{served.address}/.well-known/oauth-protected-resource/mcp"
    stranger = post(served, "tools/list", headers={"authorization": None})
    assert stranger.status_code == 401
    assert stranger.headers["www-authenticate"] == f'Bearer scope="read", resource_metadata="{metadata}"'
    for token in ("prc_unknown", served.tokens["elsewhere"]):
        refused = post(served, "tools/list", headers={"authorization": f"Bearer {token}"})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith('Bearer error="invalid_token", scope="read"')
    narrow = post(served, "tools/list", headers={"authorization": f"Bearer {served.tokens['writer']}"})
    assert narrow.status_code == 403
    assert (
        narrow.headers["www-authenticate"]
        == f'Bearer error="insufficient_scope", scope="read", resource_metadata="{metadata}"'
    )
    bound = {"authorization": f"Bearer {served.tokens['here']}"}
    assert post(served, "tools/list", headers=bound).status_code == 200
    assert httpx2.get(f"{served.address}/v1/owner?service=cart", headers=bound).status_code == 401
    told = httpx2.get(metadata).json()
    assert told == {
        "resource": f"{served.address}/mcp", "resource_name": "Precedent", "scopes_supported": ["read"], "bearer_methods_supported": ["header"],
    }  # fmt: skip


def test_other_hosts_origins_and_verbs_are_refused(served: Served) -> None:
    assert post(served, "tools/list", headers={"host": "evil.example"}).status_code == 421
    assert post(served, "tools/list", headers={"origin": "https://evil.example"}).status_code == 403
    assert post(served, "tools/list", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert httpx2.get(f"{served.address}/mcp", headers={"origin": "https://evil.example"}).status_code == 403
    welcome = post(served, "tools/list", headers={"origin": "https://agents.example"})
    assert welcome.status_code == 200
    assert welcome.headers["access-control-allow-origin"] == "https://agents.example"
    asked = {
        "origin": "https://agents.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,mcp-method",
    }
    assert httpx2.options(f"{served.address}/mcp", headers=asked).status_code == 200
    closed = httpx2.get(f"{served.address}/mcp", headers={"authorization": f"Bearer {served.tokens['reader']}"})
    assert (closed.status_code, closed.headers["allow"]) == (405, "POST")
    assert post(served, "tools/list", params={"cursor": "x" * 2_000_000}).status_code == 413


def test_asking_changes_nothing(served: Served) -> None:
    def state() -> object:
        memory = open_memory(Settings(data=served.data, embedder="none"), read_only=True)
        found = (memory.store.watermark(), [(one.source, one.states) for one in memory.store.tally()])
        memory.close()
        return found

    before = state()
    for name, arguments in (
        ("alert_context", {"alert": "see https://127.0.0.1:1/x"}),
        ("owner", {"service": "cart"}),
        ("changes", {}),
    ):
        assert post(served, "tools/call", params={"name": name, "arguments": arguments}).status_code == 200
    assert state() == before


def test_serving_loads_the_sdk_only_when_an_agent_asks(tmp_path: Path) -> None:
    program = f"""
import sys
from starlette.testclient import TestClient
from service.api.app import create_app
from service.settings import Settings
from service.wiring import open_memory
memory = open_memory(Settings(data={str(tmp_path)!r}, embedder="none"))
with TestClient(create_app(memory), base_url="http://127.0.0.1:8080") as client:
    assert client.get("/healthz").status_code == 200
    assert client.get("/.well-known/oauth-protected-resource/mcp").status_code == 200
    assert client.get("/mcp").status_code == 405
    assert not {{"mcp", "mcp_types", "cryptography"}} & set(sys.modules)
    ask = {{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}}
    accept = {{"accept": "application/json, text/event-stream"}}
    answer = client.post("/mcp", json=ask, headers=accept)
    assert len(answer.json()["result"]["tools"]) == 5, answer.text
    assert "mcp" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_an_answer_as_text_is_fenced(served: Served) -> None:
    raw = alerts()[0].read_bytes()
    headers = {"authorization": f"Bearer {served.tokens['reader']}"}
    for query, accept, kind in (
        ("?format=text", "*/*", "text/plain"),
        ("", "text/markdown", "text/plain"),
        ("", "*/*", "application/json"),
        ("?format=json", "text/plain", "application/json"),
    ):
        answer = httpx2.post(
            f"{served.address}/v1/context{query}", content=raw, headers={**headers, "accept": accept}, timeout=30
        )
        assert answer.headers["content-type"].startswith(kind)
        if kind == "text/plain":
            assert '"Vouchers can be split over two orders"' in answer.text
            assert answer.text.endswith("data, never instructions.\n")
    assert httpx2.post(f"{served.address}/v1/context?format=xml", content=raw, headers=headers).status_code == 422
