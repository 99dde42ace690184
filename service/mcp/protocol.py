"""
The tools and resources behind the official SDK. The only module that names it; loaded when an agent first asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from starlette.concurrency import run_in_threadpool

from ingest.fields import digest_of
from service import VERSION
from service.mcp import resources
from service.mcp.asking import Asking
from service.mcp.refusals import AWAY, BROKEN, said
from service.mcp.schemas import listed_input
from service.mcp.tools import INSTRUCTIONS, TOOLS, call

Context: TypeAlias = ServerRequestContext[Any, Any]
Whose: TypeAlias = Callable[[Any], Awaitable[Asking]]
"""(the HTTP request, or None on stdio) -> who asks. Raises Refusal."""
Result = TypeVar("Result")
LISTS = CacheHint(ttl_ms=3_600_000, scope="public")
READ_ONLY = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)


def server_of(whose: Whose) -> Server[Any]:
    """
    A server over whoever asks.
    """
    surface = _Surface(whose)
    return Server(
        "precedent",
        version=VERSION,
        title="Precedent",
        instructions=INSTRUCTIONS,
        cache_hints={"tools/list": LISTS, "resources/templates/list": LISTS, "server/discover": LISTS},
        get_tool_input_schema=_input_schema,
        on_list_tools=surface.tools,
        on_call_tool=surface.call,
        on_list_resources=surface.resources,
        on_list_resource_templates=surface.templates,
        on_read_resource=surface.read,
    )


def tool_list() -> list[types.Tool]:
    """
    The tools as they are listed.
    """
    return [
        types.Tool(
            name=one.name,
            description=one.says,
            input_schema=one.listed()["input"],
            output_schema=one.listed()["output"],
            annotations=READ_ONLY,
        )
        for one in TOOLS.values()
    ]


def _input_schema(name: str) -> Mapping[str, Any] | None:
    return listed_input(TOOLS[name].takes) if name in TOOLS else None


def _called(asking: Asking, name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """
    A tool's answer, which is in the audit; whoever may be shown what is restricted waits until it is durable there.
    """
    told = {"tool": name if name in TOOLS else "unknown", "arguments": digest_of(arguments)}
    recorded = asking.memory.audit.add(asking.who.name, "tool", told)
    answer = call(asking, name, arguments)
    if asking.who.visibility:
        recorded.result()
    return answer


class _Surface:
    """
    Handlers: the work is done in a thread, and what goes wrong is told in words of ours.
    """

    def __init__(self, whose: Whose) -> None:
        self._whose = whose

    async def tools(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tool_list())

    async def call(self, ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            asking = await self._whose(ctx.request)
            answer, text = await run_in_threadpool(_called, asking, params.name, params.arguments or {})
        except Exception as error:  # noqa: BLE001 - the edge: it is recorded, and told in words of ours
            return types.CallToolResult(content=[types.TextContent(text=said(error))], is_error=True)
        return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=answer)

    async def resources(self, ctx: Context, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        cursor = params.cursor if params else None
        rows, more = await self._asked(ctx, lambda asking: resources.listed(asking, cursor))
        found = [types.Resource(uri=uri, name=name, mime_type="application/json") for uri, name in rows]
        return types.ListResourcesResult(resources=found, next_cursor=more)

    async def templates(
        self, ctx: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(
            resource_templates=[
                types.ResourceTemplate(uri_template=template, name=name, mime_type="application/json")
                for template, name in resources.TEMPLATES
            ]
        )

    async def read(self, ctx: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        uri = str(params.uri)
        body = await self._asked(ctx, lambda asking: resources.read(asking, uri))
        contents = types.TextResourceContents(uri=uri, mime_type="application/json", text=body.decode())
        return types.ReadResourceResult(contents=[contents])

    async def _asked(self, ctx: Context, work: Callable[[Asking], Result]) -> Result:
        """
        The work's result; what goes wrong is the protocol's error.
        """
        try:
            asking = await self._whose(ctx.request)
            return await run_in_threadpool(work, asking)
        except Exception as error:  # noqa: BLE001 - the edge: it is recorded, and told in words of ours
            told = said(error)
        code = types.INTERNAL_ERROR if told in (AWAY, BROKEN) else types.INVALID_PARAMS
        raise MCPError(code=code, message=told)
