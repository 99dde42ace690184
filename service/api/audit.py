"""
The routes of the audit, for administrators: its head, to put elsewhere, and what was recorded last.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api.requests import as_json, caller
from service.wiring import Memory


def install(app: FastAPI, memory: Memory) -> None:
    """
    Add the routes to the application.
    """

    @app.get("/v1/audit/head")
    async def head(request: Request) -> Response:
        """
        The ends of all chains: put it elsewhere, and `precedent audit verify --head FILE` tells whether all before it
        is still there as it was. Scope `admin`.
        """
        await caller(request, "admin")
        return as_json(await run_in_threadpool(memory.audit.head))

    @app.get("/v1/audit")
    async def entries(
        request: Request, who: str = "", act: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> Response:
        """
        What was recorded, the newest first; of one voice (`who`) or one kind of `act`. Scope `admin`.
        """
        await caller(request, "admin")
        return as_json(await run_in_threadpool(lambda: {"entries": memory.audit.entries(limit, who, act)}))
