"""
The served product while the line to its store fails: answers in time with what is known, nothing acknowledged that is
not durable, and whole again by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from graph.contract import Store
from graph.values import View
from service.api.app import create_app
from service.demo import alerts, load
from service.settings import Settings
from service.wiring import open_memory
from tests import server
from tests.faults.proxy import Proxy
from tests.faults.waiting import until

# the driver leaves sockets to the collector whose handshake failed
# the driver leaves lines that broke while they were opened to the collector, and stumbles over the half made
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:Exception ignored in. <function Bolt.__del__:pytest.PytestUnraisableExceptionWarning",
)

BUDGET = 0.3
MORE = 0.7
"""What an answer may take beyond its budget, on a machine that is busy with a server, a proxy and the test."""
NOTICED = 5.0
RECOVERED = 5.0
ALERT = alerts()[0].read_bytes()


def settings(data: Path, url: str, **more: object) -> Settings:
    return Settings.model_validate(
        {
            "data": data, "store": url, "store_user": server.USER, "store_password": server.PASSWORD,
            "embedder": "none", "part_budget_ms": int(BUDGET * 1000), **more,
        }
    )  # fmt: skip


class Served:
    """
    The API behind a proxy.
    """

    def __init__(self, client: TestClient, proxy: Proxy) -> None:
        self.client, self.proxy = client, proxy

    def ask(self) -> tuple[dict[str, Any], float]:
        began = time.monotonic()
        answer = self.client.post("/v1/context", content=ALERT)
        assert answer.status_code == 200, answer.text
        return answer.json(), time.monotonic() - began

    def send(self, name: str) -> Any:
        change = {"id": name, "at": "2026-11-20T10:00:00Z", "service": "checkout", "kind": "deploy"}
        return self.client.post("/v1/ingest/changes", content=json.dumps(change), params={"path": f"{name}.json"})

    def whole(self) -> bool:
        answer, _ = self.ask()
        ready = self.client.get("/readyz")
        return (
            (ready.status_code, ready.json()["status"]) == (200, "ok") and not told(answer) and bool(answer["changes"])
        )


def told(answer: dict[str, Any]) -> list[str]:
    """
    The gaps that come from the store.
    """
    return [gap for gap in answer["gaps"] if "store" in gap or "not ready" in gap or "time" in gap.split()]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server.require()
    server.empty()
    load(settings(tmp_path_factory.mktemp("load"), server.URI)).close()
    proxy = Proxy(server.URI)
    memory = open_memory(settings(tmp_path_factory.mktemp("data"), proxy.url))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as client:
        found = Served(client, proxy)
        until(found.whole, 20)
        yield found
        proxy.heal()
    proxy.close()


FAULTS: dict[str, Callable[[Proxy], None]] = {
    "refused": Proxy.refuse,
    "half-open": Proxy.halt,
    "too slow": lambda proxy: proxy.delay(4),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_answers_come_in_time_with_what_is_known_and_nothing_is_acknowledged(served: Served, fault: str) -> None:
    before, _ = served.ask()
    FAULTS[fault](served.proxy)
    took = []
    for _ in range(50):
        during, seconds = served.ask()
        took.append(seconds)
    assert max(took) < BUDGET + MORE
    for part in ("owner", "blast_radius", "service"):
        assert during[part] == before[part]
    assert set(during["evidence"]) >= set(during["owner"]["evidence"])
    began = time.monotonic()
    refused = served.send(f"lost-{fault}")
    assert time.monotonic() - began < NOTICED
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) > 0
    until(lambda: len(told(served.ask()[0])) == 2, NOTICED)
    during, seconds = served.ask()
    missing, lag = sorted(told(during), reverse=True)
    assert missing.startswith("without ")
    assert missing.count("The store cannot be reached") == 1
    assert served.proxy.url in missing
    assert lag.startswith("owners, names and indexes are as of 20")
    assert seconds < BUDGET
    ready = served.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "without the store")
    assert served.client.get("/healthz").status_code == 200
    assert "precedent_store_up 0.0" in served.client.get("/metrics").text
    assert served.client.get("/").status_code == 200
    page = served.client.post("/", data={"alert": ALERT.decode()}, follow_redirects=False)
    assert page.status_code == 200
    assert "without " in page.text
    served.proxy.heal()
    began = time.monotonic()
    until(lambda: served.send(f"back-{fault}").status_code == 202, RECOVERED)
    until(served.whole, RECOVERED - (time.monotonic() - began))
    assert served.ask()[0]["changes"]["considered"] == before["changes"]["considered"]


def test_a_line_that_is_slow_but_alive_costs_the_budget_and_no_more(served: Served) -> None:
    before, _ = served.ask()
    served.proxy.delay(BUDGET * 1.2)
    for _ in range(15):
        during, seconds = served.ask()
        assert seconds < BUDGET + MORE
        assert during["owner"] == before["owner"]
    served.proxy.heal()
    until(served.whole, RECOVERED)


def test_questions_are_answered_though_the_line_breaks_all_the_time(served: Served) -> None:
    for number in range(40):
        served.proxy.cut_after(500 * number)
        answer, seconds = served.ask()
        assert seconds < BUDGET + MORE
        assert answer["owner"]["name"]
    served.proxy.heal()
    until(served.whole, RECOVERED)


def test_what_was_acknowledged_while_the_line_broke_is_there_once(served: Served) -> None:
    acknowledged = set()
    for number in range(25):
        served.proxy.cut_after(400 * number)
        answer = served.send(f"cut-{number}")
        assert answer.status_code in (202, 503), answer.text
        if answer.status_code == 202:
            acknowledged.update(answer.json()["records"])
    served.proxy.heal()
    until(served.whole, RECOVERED)
    names = [f"cut-{number}" for number in range(25)]
    for name in names:
        acknowledged.update(served.send(name).json()["records"])
    store = server.opened()
    assert {one.id for one in store.records(sorted(acknowledged), limit=1000)} == acknowledged
    assert len(acknowledged) == len(names)
    until(lambda: len(applied(store, names)) == len(names), RECOVERED)
    assert applied(store, names) == sorted(names)
    store.close()


def applied(store: Store, names: list[str]) -> list[str]:
    return sorted(one.item.id for one in store.changes(View.now(), ids=names, limit=1000))


@pytest.mark.parametrize("fault", ["refused", "half-open"])
def test_started_without_its_store_it_says_so_and_is_ready_once_it_comes(
    tmp_path: Path, proxy: Proxy, fault: str
) -> None:
    FAULTS[fault](proxy)
    memory = open_memory(settings(tmp_path, proxy.url))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as client:
        found = Served(client, proxy)
        assert client.get("/healthz").status_code == 200
        until(lambda: "as of" not in str(found.ask()[0]["gaps"]) and bool(told(found.ask()[0])), NOTICED)
        answer, seconds = found.ask()
        assert seconds < BUDGET + MORE
        assert any("nothing has been read from the store since the start" in gap for gap in answer["gaps"])
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert proxy.url in ready.json()["gaps"][0]
        refused = found.send("early")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        proxy.heal()
        until(lambda: found.send("first").status_code == 202, RECOVERED)
        until(lambda: client.get("/readyz").status_code == 200, RECOVERED)
        store = server.opened()
        assert len(store.records()) == 1
        store.close()


def test_others_than_this_machine_get_nothing_while_no_token_can_be_checked(tmp_path: Path, proxy: Proxy) -> None:
    proxy.refuse()
    memory = open_memory(settings(tmp_path, proxy.url, host="0.0.0.0"))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as client:
        asked = client.post("/v1/context", content=ALERT)
        assert (asked.status_code, "token" in asked.json()["detail"]) == (503, True)
        proxy.heal()
        until(lambda: client.post("/v1/context", content=ALERT).status_code == 401, RECOVERED)


def test_a_wrong_password_is_told_with_what_to_do(tmp_path: Path, proxy: Proxy) -> None:
    memory = open_memory(settings(tmp_path, proxy.url, store_password="marzipan"))
    with TestClient(create_app(memory), base_url="http://127.0.0.1:8080", raise_server_exceptions=False) as client:
        found = Served(client, proxy)
        until(lambda: bool(told(found.ask()[0])), NOTICED)
        text = json.dumps(found.ask()[0])
        assert "check the user, the password" in text
        assert "marzipan" not in text


def command(proxy: Proxy, *arguments: str) -> subprocess.Popen[str]:
    environment = {"PATH": "/usr/bin:/bin", "PRECEDENT_STORE": proxy.url, "PRECEDENT_STORE_PASSWORD": server.PASSWORD}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "service.cli", *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_without_its_store_the_command_serves_and_other_verbs_fail_with_one_line(tmp_path: Path, proxy: Proxy) -> None:
    proxy.refuse()
    asked = command(proxy, "owner", "checkout", "--data", str(tmp_path))
    serving = command(proxy, "serve", "--port", "0", "--data", str(tmp_path), "--json")
    assert serving.stdout is not None
    address = json.loads(serving.stdout.readline())["address"]
    until(lambda: healthy(address), 20)
    serving.terminate()
    assert "Traceback" not in serving.communicate(timeout=20)[1]
    assert asked.communicate()[1] == f"precedent: The store cannot be reached: {proxy.url} (nothing listens there)\n"
    assert asked.returncode == 1


def healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/healthz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
