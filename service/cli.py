"""
The `precedent` command. Exit 0 ok, 1 failed, 2 wrong use; `--data` and `--json` on every verb.
"""

from __future__ import annotations

import errno
import json
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from service.settings import Settings
    from service.wiring import Memory

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="What changed, who owns it, what fixed it last time.",
)
Data = Annotated[Path | None, typer.Option("--data", help="the data directory")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Config = Annotated[Path | None, typer.Option("--config", help="a TOML file of settings")]


class Failed(Exception):
    """
    The verb could not do its work; the message is for the user.
    """


def main() -> None:
    """
    The entry point: every failure is one clear line.
    """
    from graph.errors import GraphError
    from ingest.errors import IngestError
    from models.errors import ModelError
    from service.api.problems import Problem
    from service.settings import SettingsError

    for argument in sys.argv[1:]:
        # the system hands us what is not UTF-8 as halves of characters, which no text may hold; a file may be named so
        if not argument.isascii() and argument.encode("utf-8", "replace").decode() != argument and not _there(argument):
            print(f"precedent: the argument {argument!a} is not UTF-8; write it in UTF-8", file=sys.stderr)
            sys.exit(2)
    try:
        app(standalone_mode=True)
    except SettingsError as error:
        print(f"precedent: {error}", file=sys.stderr)
        sys.exit(2)
    except (GraphError, IngestError, ModelError, Failed, Problem, OSError) as error:
        print(f"precedent: {error}", file=sys.stderr)
        sys.exit(1)


def _there(name: str) -> bool:
    """
    Whether there is a file of that name; what is too long for a name, or may not be looked at, is none.
    """
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def settings_of(data: Path | None, config: Path | None = None, **flags: object) -> Settings:
    """
    Settings with this verb's flags.
    """
    from service.settings import read_settings

    return read_settings({"data": data, **flags}, config)


def opened(data: Path | None, *, write: bool = False) -> Memory:
    """
    The memory, caught up. Reading takes no lock.
    """
    from service.wiring import open_memory

    memory = open_memory(settings_of(data), read_only=not write)
    memory.follow()
    return memory


def show(value: object, as_json: bool, plain: Callable[[], str]) -> None:
    """
    Print for a program or for a person.
    """
    print(json.dumps(value, ensure_ascii=False, default=str) if as_json else plain())


def table(rows: list[dict[str, object]], *columns: str) -> str:
    """
    Rows as aligned text.
    """
    if not rows:
        return "nothing"
    cells = [[_cell(name, row.get(name)) for name in columns] for row in rows]
    widths = [max(len(name), *(len(line[place]) for line in cells)) for place, name in enumerate(columns)]
    lines = [list(columns), *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(column: str, value: object) -> str:
    """
    A value within a table; what a source worded is quoted, where it is more than a name.
    """
    from service.fence import label

    text = "-" if value is None else str(value)
    return label(text) if text != "-" and column in ("actor", "id", "matched", "title") else " ".join(text.split())


@app.command()
def serve(
    data: Data = None, config: Config = None, host: str | None = None, port: int | None = None, as_json: Json = False
) -> None:  # fmt: skip
    """
    Serve the API and the pages; the address is printed once it listens.
    """
    import uvicorn

    from service.api.app import create_app
    from service.api.guard import LOOPBACK
    from service.settings import SettingsError
    from service.wiring import open_memory

    settings = settings_of(data, config, host=host, port=port)
    memory = open_memory(settings)
    if settings.host not in LOOPBACK and _has_no_tokens(memory):
        memory.close()
        raise SettingsError(
            f"without tokens it serves loopback only, not {settings.host}; make one: precedent token NAME --scope read"
        )
    try:
        listening = _listening(settings.host, settings.port)
    except Failed:
        memory.close()
        raise
    # requests are short: a thread that waits for its turn should not wait for the default 5 ms
    sys.setswitchinterval(0.0005)
    place = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{place}:{listening.getsockname()[1]}"
    show({"address": address, "data": str(settings.data)}, as_json, lambda: f"serving {address} from {settings.data}")
    sys.stdout.flush()
    for hook in settings.webhooks:
        if hook.off:
            print(f"webhook {hook.source.name} is off: {hook.off}", file=sys.stderr)
    server = uvicorn.Server(
        uvicorn.Config(create_app(memory), log_level="warning", limit_concurrency=512, timeout_graceful_shutdown=10)
    )
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if not server.started:
        raise Failed("the server could not start; what went wrong stands above")


def _has_no_tokens(memory: Memory) -> bool:
    """
    False also where the store cannot be asked: then the tokens are checked once it can be.
    """
    from graph.errors import StoreUnavailable

    with suppress(StoreUnavailable):
        memory.tokens.refresh()
    return memory.tokens.any is False


def _listening(host: str, port: int) -> socket.socket:
    """
    A socket that listens there. Raises Failed, which says why not and what to do.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, so that the event loop sends small answers at once (40 ms for each else)
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(2048)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            advice = "end what listens there, or choose another port with --port"
            raise Failed(f"port {port} of {host} is in use; {advice}") from error
        advice = "choose another --host or --port (ports below 1024 need rights)"
        raise Failed(f"cannot listen on {host}, port {port}: {error.strerror}; {advice}") from error
    return found


@app.command()
def token(
    name: str, scope: Annotated[list[str], typer.Option("--scope")], label: Annotated[list[str] | None, typer.Option("--label")] = None,
    audience: Annotated[str | None, typer.Option(help="the only address that it is for, as https://host/mcp")] = None,
    data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    Make a token with scopes (read, ingest, feedback, admin) and visibility labels; it is shown once.
    """
    from service.wiring import open_memory

    memory = open_memory(settings_of(data))
    try:
        told = {"name": name, "scopes": scope, "labels": label or [], "audience": audience}
        memory.audit.record("local", "token", told)
        made = memory.tokens.issue(name, scope, frozenset(label or ()), audience=audience)
    except ValueError as error:
        raise Failed(str(error)) from error
    finally:
        memory.close()
    show({"name": name, "token": made}, as_json, lambda: made)


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(help="a folder, a file, a sources.toml, or the word `retry`")],
    connector: Annotated[str | None, typer.Option(help="the connector of a single file or folder")] = None,
    source: Annotated[str | None, typer.Option(help="the source's name; with retry, only this one")] = None,
    force: Annotated[bool, typer.Option(help="close what a snapshot no longer holds, however much")] = False,
    data: Data = None, config: Config = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    Read sources into the memory, or try what is in quarantine again.
    """
    from graph.errors import StoreLocked
    from ingest.parsing import printable
    from service.inbox import ask
    from service.wiring import require_store_of

    settings = settings_of(data, config)
    again = str(path) == "retry"
    if again:
        require_store_of(settings)
    elif not _there(str(path)):
        raise Failed(f"{path} is not there")
    if source:
        printable(source, "--source")
    work = {
        "path": str(path.absolute()), "retry": again, "connector": connector, "source": source, "force": force,
        "options": {one.source.name: dict(one.source.options) for one in settings.webhooks},
    }  # fmt: skip
    try:
        found = _ingested(settings, work)
    except StoreLocked as error:
        print(f"{error}: handing it the work", file=sys.stderr)
        found = ask(settings.data, work, lambda: _ingested(settings, work))
    if "error" in found:
        raise Failed(str(found["error"]))
    if again:
        words = "{released} tried again: {applied} applied, {quarantined} in quarantine"
        show(found, as_json, lambda: words.format(**found))
        return
    columns = ("source", "files", "read", "new", "duplicates", "applied", "quarantined", "stated", "closed", "problem")
    show(found, as_json, lambda: table(cast("list[dict[str, object]]", found["sources"]), *columns))
    if not found["ok"]:
        raise typer.Exit(1)


def _ingested(settings: Settings, work: Mapping[str, object]) -> dict[str, object]:
    """
    The work done here, under the writer's lock. Raises StoreLocked where another process has it.
    """
    from service.inbox import do
    from service.wiring import embedder_of, search_of, store_of

    store = store_of(settings)
    try:
        found = do(store, work, _progress)
        indexer = search_of(settings, store, embedder_of(settings))
        indexer.follow(_progress)
        indexer.save()
        return found
    finally:
        store.close()


def _progress(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(
            f"\r{what}: {done} of {max(done, total)}   ", end="" if done < total else "\n", file=sys.stderr, flush=True
        )


@app.command()
def work(data: Data = None, config: Config = None) -> None:
    """
    Apply pending records until stopped: an ingest worker beside API processes that share a server's store.
    """
    import signal
    import threading

    from graph.errors import StoreUnavailable
    from ingest.pipeline import drain
    from service.wiring import POLL, store_of

    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    store = store_of(settings_of(data, config))
    print("working", flush=True)
    try:
        while not ended.is_set():
            try:
                drain(store)
            except StoreUnavailable as error:
                print(f"waiting for the store: {error}", file=sys.stderr, flush=True)
            ended.wait(POLL)
    finally:
        store.close()


@app.command()
def sources(
    verb: Annotated[str | None, typer.Argument(help="nothing, to list them, or the word `test`")] = None,
    name: Annotated[str | None, typer.Argument(help="with test, the source's name")] = None,
    path: Annotated[Path | None, typer.Option(help="with test, where a source of files is configured that was never read")] = None,
    file: Annotated[Path | None, typer.Option(help="with test, a file to try in place of the newest")] = None,
    data: Data = None, config: Config = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    The sources with their state, records and quarantine; `sources test NAME` tries one out, and stores nothing.
    """
    from service import sources_text

    settings = settings_of(data, config)
    if verb is None:
        found = sources_text.listed(settings)
        show(found, as_json, lambda: sources_text.listing_text(found, table))
        return
    if verb != "test" or not name:
        raise typer.BadParameter("write `precedent sources`, or `precedent sources test NAME`")
    tried = sources_text.tried(settings, name, path, file)
    show(tried, as_json, lambda: sources_text.trial_text(tried, table))
    if not tried["ok"]:
        raise typer.Exit(1)


@app.command()
def mcp(data: Data = None, config: Config = None) -> None:
    """
    Serve an agent over standard input and output (Model Context Protocol); PRECEDENT_TOKEN says who asks.
    """
    from service.mcp import lacks
    from service.mcp.refusals import Refusal
    from service.mcp.stdio import caller_of, serve
    from service.wiring import open_memory, require_store_of

    if problem := lacks():
        raise Failed(problem)
    settings = settings_of(data, config)
    require_store_of(settings)
    memory = open_memory(settings, read_only=True)
    try:
        caller_of(memory)
        memory.follow()
        serve(memory)
    except Refusal as error:
        raise Failed(str(error)) from error
    finally:
        memory.close()


@app.command()
def context(
    alert: Annotated[str | None, typer.Argument(help="a file, `-` for standard input, or a line of text")] = None,
    replay: Annotated[str | None, typer.Option(help="the id of an answer that was given, to make it again")] = None,
    as_of: str | None = None, known_at: str | None = None, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    The whole answer for an alert; with --replay whether an answer is still what the store gives, and what changed since.
    """
    from service.api.app import answer_of, replay_seen
    from service.render import answer_text, replay_text
    from service.tokens import LOCAL

    if (alert is None) == (replay is None):
        raise typer.BadParameter("write an alert, or --replay with the id of an answer")
    if replay is not None:
        mark = replay
        _asked(data, as_json, lambda memory: replay_seen(memory, mark, LOCAL), replay_text)
        return
    raw = _alert(alert or "")
    memory = _keeping(data)
    try:
        answer = answer_of(memory, raw, {}, LOCAL, as_of, known_at)
    finally:
        memory.close()
    show(answer, as_json, lambda: answer_text(answer))


def _alert(given: str) -> bytes:
    """
    What is asked about: standard input, a file, or the argument itself.
    """
    if given == "-":
        return sys.stdin.buffer.read()
    if _there(given) and not Path(given).is_dir():
        return Path(given).read_bytes()
    return given.encode()


def _keeping(data: Path | None) -> Memory:
    """
    A memory that keeps its answers for replay, or only reads where another process writes or nobody may. None is made.
    """
    from graph.errors import StoreLocked, StoreNotWritable
    from service.wiring import require_store_of

    require_store_of(settings_of(data))
    try:
        return opened(data, write=True)
    except (StoreLocked, StoreNotWritable):
        return opened(data)


@app.command()
def owner(name: str, as_of: str | None = None, data: Data = None, as_json: Json = False) -> None:
    """
    Who owns a service and who answers now.
    """
    from service.api.requests import view_of
    from service.lookup import owner_of
    from service.render import owner_lines
    from service.tokens import LOCAL

    _asked(data, as_json, lambda memory: owner_of(memory, view_of(LOCAL, as_of, None), name), owner_lines)


@app.command()
def changes(
    service: str, limit: Annotated[int, typer.Option(min=1, max=1000)] = 20, data: Data = None, as_json: Json = False
) -> None:  # fmt: skip
    """
    The last changes of a service.
    """
    from graph.values import View
    from service.api.app import change_rows

    _asked(
        data, as_json, lambda memory: change_rows(memory, View.now(), service, None, None, limit),
        lambda found: table(found["changes"], "at", "kind", "id", "actor", "title"),
    )  # fmt: skip


@app.command()
def similar(text: str, service: str | None = None, data: Data = None, as_json: Json = False) -> None:
    """
    Past incidents that are alike.
    """
    from service.api.app import similar_part
    from service.render import precedents_text
    from service.tokens import LOCAL

    _asked(data, as_json, lambda memory: similar_part(memory, LOCAL, text, {"service": service}), precedents_text)


@app.command()
def runbooks(text: str, alert: str = "", service: str | None = None, data: Data = None, as_json: Json = False) -> None:
    """
    Runbooks for a text.
    """
    from graph.values import View
    from service.api.app import runbook_rows

    _asked(
        data, as_json, lambda memory: runbook_rows(memory, View.now(), text, alert, service),
        lambda found: table(found["runbooks"], "probability", "id", "title"),
    )  # fmt: skip


@app.command()
def timeline(name: Annotated[str, typer.Argument(help="an incident or a service")], data: Data = None, as_json: Json = False) -> None:  # fmt: skip
    """
    What was known when of an incident, as Markdown; of a service, what happened to it.
    """
    from graph.values import View
    from service.api.app import timeline_rows
    from service.timeline import find_incident, incident_timeline, timeline_markdown

    address = settings_of(data).public_url

    def found(memory: Memory) -> dict[str, object]:
        view = View.now()
        if find_incident(memory, view, name):
            return incident_timeline(memory, view, name)
        return timeline_rows(memory, view, name, None, None)

    def plain(told: Mapping[str, object]) -> str:
        if "incident" in told:
            return timeline_markdown(dict(told), address)
        return table(cast("list[dict[str, object]]", told["events"]), "at", "what", "kind", "id", "title")

    _asked(data, as_json, found, plain)


@app.command()
def identity(
    words: Annotated[list[str] | None, typer.Argument(help="a NAME to ask for; or confirm A B, reject A B, rename OLD NEW, split OLD NEW..., undo ID")] = None,
    at: Annotated[str | None, typer.Option(help="since when a rename or a split holds; else since now")] = None,
    note: Annotated[str | None, typer.Option(help="why, for others")] = None,
    by: Annotated[str | None, typer.Option(help="who decides")] = None,
    data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    Which names may be one, and decisions about it; with a name, what it may mean.
    """
    from graph.values import View
    from service import identity_text as texts
    from service.api.identity import identity_part, proposals_part

    given = words or []
    if texts.is_decision(given):
        made = texts.decided(settings_of(data), texts.asked(given, at, note, by))
        show(made, as_json, lambda: texts.decided_text(made))
    elif given:
        _asked(
            data, as_json, lambda memory: identity_part(memory, View.now(), given[0]),
            lambda found: texts.named_text(found, table),
        )  # fmt: skip
    else:
        _asked(
            data, as_json, lambda memory: proposals_part(memory, View.now()),
            lambda found: texts.listed_text(found, table),
        )  # fmt: skip


@app.command()
def feedback(
    words: Annotated[list[str] | None, typer.Argument(help="nothing, to list; ANSWER and useful, not_useful, fixed or not_cause; or undo ID")] = None,
    subject: Annotated[str | None, typer.Option(help="what of the answer: an incident, change or runbook by its id, or ACTION TARGET of a fix")] = None,
    note: Annotated[str | None, typer.Option(help="why, for others")] = None,
    by: Annotated[str | None, typer.Option(help="whose verdict")] = None,
    data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    Verdicts on answers: what counts, giving one, taking one back.
    """
    from graph.values import View
    from service import feedback_text as texts
    from service.feedback import listing

    if words:
        made = texts.given(settings_of(data), texts.asked(words, subject, note, by))
        show(made, as_json, lambda: texts.given_text(made))
        return
    _asked(
        data, as_json, lambda memory: {"verdicts": listing(memory.facts, View.now())},
        lambda found: texts.listed_text(found, table),
    )  # fmt: skip


@app.command()
def readiness(
    trend: Annotated[str, typer.Option(help="and the shares so many days ago, like 7,30")] = "",
    check: Annotated[bool, typer.Option("--check", help="hold it against past incidents, asked about again")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="incidents of the check, the newest")] = 100,
    catalogue: Annotated[
        str, typer.Option(help="of the check: services as `known` then, or as they are `today`")
    ] = "known",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """
    What could be answered for each service, what is missing, and what to mend first.
    """
    from graph.values import View

    if catalogue not in ("known", "today"):
        raise typer.BadParameter("write `known` or `today`", param_hint="--catalogue")
    if check:
        from service.readiness_check import check_text, checked

        _asked(data, as_json, lambda memory: checked(memory, _progress, limit, catalogue), check_text)
        return
    from service.api.owners import days_of
    from service.readiness import readiness as of
    from service.render import readiness_text

    _asked(data, as_json, lambda memory: of(memory, View.now(), days_of(trend)), readiness_text)


def _asked(
    data: Path | None,
    as_json: bool,
    work: Callable[[Memory], dict[str, object]],
    plain: Callable[[dict[str, list[dict[str, object]]]], str],
) -> None:
    memory = opened(data)
    try:
        found = work(memory)
    finally:
        memory.close()
    show(found, as_json, lambda: plain(found))  # type: ignore[arg-type]  # each verb knows the shape of its own answer


@app.command()
def policy(
    words: Annotated[list[str], typer.Argument(help="check ACTION [TARGET], test [FILE...], or show")],
    target: Annotated[str, typer.Option(help="the service, by any of its names")] = "",
    environment: str | None = None,
    at: Annotated[str | None, typer.Option(help="when it would be done; else now")] = None,
    who: Annotated[str | None, typer.Option(help="who would do it")] = None,
    as_of: str | None = None, known_at: str | None = None, data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    Whether an action may be taken, by whose approval; the rules' own examples; the rules. Nothing is ever done.
    """
    from service import policy_text as texts
    from service.api.requests import view_of
    from service.policy_check import check_of, shown
    from service.tokens import LOCAL

    try:
        verb, rest = texts.words_of(words, target)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    view = view_of(LOCAL, as_of, known_at)
    if verb == "check":
        action, *place = rest
        told = {
            "action": action,
            "target": place[0] if place else None,
            "environment": environment,
            "at": at,
            "who": who,
        }
        given = {key: value for key, value in told.items() if value is not None}
        _asked(data, as_json, lambda memory: texts.asked(memory, view, check_of(given, LOCAL)), texts.checked_text)
    elif verb == "show":
        _asked(data, as_json, lambda memory: shown(memory, view), lambda found: texts.shown_text(found, table))
    else:
        found = texts.examples(rest, lambda: opened(data), view)
        show(found, as_json, lambda: texts.tested_text(found, table))
        if not found["ok"]:
            raise typer.Exit(1)


@app.command()
def retract(
    record: str,
    reason: Annotated[str | None, typer.Argument(help="why; without it nothing is done but listing what rests on it")] = None,
    data: Data = None, as_json: Json = False,
    erase: Annotated[bool, typer.Option(help="remove its bytes")] = False,
) -> None:  # fmt: skip
    """
    List what rests on a record; with a reason stop claiming it, or remove its bytes everywhere, and recompute.
    """
    from service.retraction import retracted, retraction_text

    work = {"record": record, "reason": reason, "erase": erase, "dry": reason is None}
    found = retracted(settings_of(data), work)
    show(found, as_json, lambda: retraction_text(found))


@app.command()
def backup(target: Path, data: Data = None, as_json: Json = False) -> None:
    """
    A consistent copy, while others read and write.
    """
    from service.wiring import store_of

    store = store_of(settings_of(data), read_only=True)
    try:
        store.backup(target)
    finally:
        store.close()
    show({"backup": str(target)}, as_json, lambda: f"backed up to {target}")


@app.command()
def restore(source: Path, data: Data = None, as_json: Json = False) -> None:
    """
    A data directory from a backup; an existing one is not overwritten.
    """
    from graph.opening import restore_store
    from service.wiring import recorded

    settings = settings_of(data)
    restore_store(settings.store_url, source)
    recorded(settings, "restore", {"backup": str(source.absolute())})
    show({"restored": str(settings.data)}, as_json, lambda: f"restored into {settings.data}")


@app.command()
def migrate(
    source: Annotated[str | None, typer.Option("--from", help="the URL of the store to copy; else the settings' store")] = None,
    target: Annotated[str | None, typer.Option("--to", help="the URL of an empty store, or of one to go on with")] = None,
    data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    Copy a store into another and compare both; without --to, bring the store to this version's schema.
    """
    from service.wiring import recorded, require_store_of, store_of

    settings = settings_of(data)
    if target is not None:
        _moved(settings, source or settings.store_url, target, as_json)
        return
    if source is not None:
        raise typer.BadParameter("say with --to where the store goes")
    require_store_of(settings)
    with closing(store_of(settings)) as store:
        recorded(settings, "migrate", {"schema": "this version's"}, store)
    show({"ok": True}, as_json, lambda: "the schema is this version's")


def _moved(settings: Settings, source: str, target: str, as_json: bool) -> None:
    from graph.moving import move
    from service.wiring import movable_of

    if source == target:
        raise typer.BadParameter("a store is not copied into itself; name another with --to")
    with closing(movable_of(settings, source)) as one, closing(movable_of(settings, target, target=True)) as other:
        compared = move(one, other, _progress)
    ok = all(each.same for each in compared)
    rows: list[dict[str, object]] = [
        {
            "kind": each.kind.value,
            "source": each.source.count,
            "target": each.target.count,
            "digest": each.source.digest,
            "same": each.same,
        }
        for each in compared
    ]
    show({"kinds": rows, "ok": ok}, as_json, lambda: table(rows, "kind", "source", "target", "digest", "same"))
    if not ok:
        raise Failed("the target is not what the source is, and stays shut; empty it and begin anew")


@app.command()
def doctor(data: Data = None, as_json: Json = False) -> None:
    """
    Check the store, the weights and the indexes.
    """
    from service.settings import SettingsError

    checks: list[dict[str, object]] = []
    try:
        memory = opened(data)
        status = memory.indexer.status()
        checks.append({"check": "store", "ok": True, "says": f"watermark {status.watermark}"})
        checks.append(
            {
                "check": "weights",
                "ok": memory.indexer.embedder is not None,
                "says": "; ".join(memory.gaps) or "as published",
            }
        )
        checks.append(
            {
                "check": "indexes",
                "ok": not status.behind,
                "says": "; ".join(
                    [f"{status.lexical_rows} rows of words, {status.dense_rows} vectors", *memory.indexer.problems]
                ),
            }
        )
        memory.close()
    except SettingsError:
        raise
    ok = all(bool(one["ok"]) for one in checks)
    show({"checks": checks, "ok": ok}, as_json, lambda: table(checks, "check", "ok", "says"))
    if not ok:
        raise typer.Exit(1)


@app.command()
def audit(
    verb: Annotated[str, typer.Argument(help="verify, list or head")],
    head: Annotated[Path | None, typer.Option(help="with verify, a head that was put elsewhere")] = None,
    who: Annotated[str, typer.Option(help="with list, only this voice")] = "",
    act: Annotated[str, typer.Option(help="with list, only this kind")] = "",
    limit: Annotated[int, typer.Option(min=1, help="with list, so many at most")] = 50,
    data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    The log of restricted reads, tool calls, policy answers, feedback and administrative acts: whether it is whole.
    """
    from service import audit_text as texts

    settings = settings_of(data)
    if verb == "verify":
        found = texts.verified(settings, head)
        show(found, as_json, lambda: texts.verified_text(found, table))
        if not found["ok"]:
            raise typer.Exit(1)
    elif verb == "list":
        listed = texts.listed(settings, limit, who, act)
        show(listed, as_json, lambda: texts.listed_text(listed, table))
    elif verb == "head":
        print(json.dumps(texts.head(settings)))
    else:
        raise typer.BadParameter(f"write `precedent audit {' | '.join(texts.VERBS)}`")


@app.command(name="backtest")
def backtest(
    limit: Annotated[int, typer.Option(min=1, max=20_000, help="the newest so many incidents, and as many reverts")] = 1000,
    since: Annotated[str | None, typer.Option(help="only those from then on")] = None,
    until: Annotated[str | None, typer.Option(help="only those before then")] = None,
    catalogue: Annotated[str, typer.Option(help="services and dependencies as `known` then, or as they are `today`")] = "known",
    labels: Annotated[bool, typer.Option("--labels", help="show the culprits that history names, and replay nothing")] = False,
    last: Annotated[bool, typer.Option("--last", help="show the last report again")] = False,
    data: Data = None, as_json: Json = False,
) -> None:  # fmt: skip
    """
    Replay past incidents at the moment they fired, with what was known then; exit 1 where a replay looked ahead.
    """
    from service.api.backtest import plan_of
    from service.backtest import command
    from service.backtest.text import labels_text, report_text
    from service.tokens import LOCAL

    plan = plan_of({"limit": limit, "since": since, "until": until, "catalogue": catalogue}, LOCAL)
    with closing(_keeping(data)) as memory:
        if labels:
            found = command.labels(memory, _progress)
            show(found, as_json, lambda: labels_text(found, table))
            return
        report = command.shown_last(memory) if last else command.replayed(memory, plan, _progress)
    if report is None:
        raise Failed("nothing was replayed yet; run `precedent backtest`")
    show(report, as_json, lambda: report_text(report, table))
    if not report["ok"]:
        raise typer.Exit(1)


@app.command()
def demo(data: Data = None, as_json: Json = False) -> None:
    """
    Load the demo organisation and answer its alerts.
    """
    from service.demo import answers, load
    from service.render import answer_text

    memory = load(settings_of(data or Path(".cache/demo")))
    try:
        found = answers(memory)
    finally:
        memory.close()
    show({"answers": found}, as_json, lambda: "\n\n".join(answer_text(one) for one in found))


if __name__ == "__main__":
    main()
