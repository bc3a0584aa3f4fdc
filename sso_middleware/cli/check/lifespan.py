"""Starting and stopping an ASGI application, as a server does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from anyio import Event, create_task_group, move_on_after

from sso_middleware.cli.check.loading import describe
from sso_middleware.cli.output import Failure


@asynccontextmanager
async def living(app: Any, patience: float) -> AsyncGenerator[dict[str, Any], None]:
    """Start `app`, give the state that its requests share, and stop it (ASGI lifespan spec).

    Args:
        app: an ASGI application, with a lifespan or without.
        patience: seconds that it has to start, and to stop.

    Raises:
        Failure: it does not start.
    """
    state: dict[str, Any] = {}
    problems: list[str] = []
    failed: list[str] = []
    started, stopping, stopped = Event(), Event(), Event()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            await stopping.wait()
            return {"type": "lifespan.shutdown"}
        asked = True
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.failed":
            problems.append(_last_line(message.get("message", "")) or "it does not say why")
        started.set()

    async def live() -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        problems.extend(await _run(app, scope, receive, send))
        started.set()
        stopped.set()

    async with create_task_group() as tasks:
        tasks.start_soon(live)
        with move_on_after(patience):
            await started.wait()
        if not started.is_set():
            problems.append(f"it is not there after {patience:g} seconds")
        failed += problems
        if not failed:
            yield state
            stopping.set()
            with move_on_after(patience):
                await stopped.wait()
        tasks.cancel_scope.cancel()
    if failed:  # raised out here, where no task group wraps it
        raise Failure(f"the application does not start: {failed[0]}")


async def _run(app: Any, *protocol: Any) -> list[str]:
    try:
        await app(*protocol)
    except Exception:  # noqa: BLE001, S110 - how an application says that it has no lifespan
        pass
    except SystemExit as error:
        return [describe(error)]
    return []


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
