"""The wrapped applications that each server runs: `sites:wsgi`, `sites:asgi` and `sites:asgi_in_threads`.

A visitor says by a header who they are. Another header puts the resolver in a mood: "tenth", to fail for one
visitor in ten; "held", to hang until it is released; "meet-8", to wait until eight visitors have met in it.
`/state` says what the process holds on to.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

import sso_middleware.asgi
import sso_middleware.wsgi
from sso_middleware import HandoffRefused, HelpDesk, ResolverUnavailable

if os.environ["RELIABILITY_LOG"]:
    logging.basicConfig(level=logging.DEBUG)

DESK = HelpDesk.from_env()
OPTIONS = {"paths": "/sso/helpdesk", "login_url": "/login"}
PAGE = os.sysconf("SC_PAGE_SIZE")


class Counts:
    """How many visits to the Auth URL are inside the server, and inside the resolver."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.resolving = self.resolved = 0

    def add(self, inside=0, resolving=0, resolved=0) -> None:
        with self.lock:
            self.inside += inside
            self.resolving += resolving
            self.resolved += resolved

    def __call__(self) -> dict[str, int]:
        return {
            "pid": os.getpid(),
            "parent": os.getppid(),
            "inside": self.inside,
            "resolving": self.resolving,
            "resolved": self.resolved,
        }


counts = Counts()
meetings: dict[str, threading.Barrier] = {}
open_to_threads = threading.Event()
open_to_threads.set()
open_to_tasks = asyncio.Event()
open_to_tasks.set()


def hold():
    open_to_threads.clear()
    open_to_tasks.clear()


def release():
    open_to_threads.set()
    open_to_tasks.set()


def entries(directory: str) -> int:
    return sum(1 for _ in Path(directory).iterdir())


def state() -> dict[str, int]:
    gc.collect()
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:  # no event loop here
        tasks = 0
    return {
        **counts(),
        "files": entries("/proc/self/fd"),
        "threads": entries("/proc/self/task"),
        "tasks": tasks,
        "blocks": sys.getallocatedblocks(),
        "memory": int(Path("/proc/self/statm").read_text().split()[1]) * PAGE,
    }


def answer(visitor: str, mood: str) -> str | None:
    """Return the visitor's address, or fail in one of three ways."""
    counts.add(resolved=1)
    number = int("".join(filter(str.isdigit, visitor)) or 0)
    if mood == "tenth" and number % 10 == 7:
        failures = [RuntimeError("the database is down"), HandoffRefused("too_bad"), ResolverUnavailable()]
        raise failures[number // 10 % 3]
    return visitor or None


def resolve_blocking(visitor: str, mood: str) -> str | None:
    counts.add(resolving=1)
    try:
        if mood == "held":
            open_to_threads.wait()
        if mood.startswith("meet-"):
            parties = int(mood.removeprefix("meet-"))
            with counts.lock:
                meeting = meetings.setdefault(mood, threading.Barrier(parties, timeout=60))
            meeting.wait()
        return answer(visitor, mood)
    finally:
        counts.add(resolving=-1)


async def resolve_on_loop(visitor: str, mood: str) -> str | None:
    counts.add(resolving=1)
    try:
        if mood == "held":
            await open_to_tasks.wait()
        return answer(visitor, mood)
    finally:
        counts.add(resolving=-1)


# Which account is asked between resolving and signing: others get their turn there, so that an address
# that visits shared would be seen.


def choose_letting_others_in(source, email):
    time.sleep(0)
    return DESK


async def choose_letting_others_in_on_loop(scope, email):
    await asyncio.sleep(0)
    return DESK


# WSGI


def by_environ(environ):
    return resolve_blocking(environ.get("HTTP_X_VISITOR", ""), environ.get("HTTP_X_MOOD", ""))


def wsgi_app(environ, start_response):
    pages = {"/plain": lambda: "fine", "/hold": hold, "/release": release, "/counts": counts, "/state": state}
    found = pages.get(environ["PATH_INFO"])
    body = json.dumps(found() if found else None).encode()
    start_response(
        "200 OK" if found else "404 Not Found",
        [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
    )
    return [body]


wrapped_wsgi = sso_middleware.wsgi.SSOMiddleware(wsgi_app, choose_letting_others_in, by_environ, **OPTIONS)


def wsgi(environ, start_response):
    """Say in each answer which process gave it, and count visits to the Auth URL."""

    def start(status, headers, exc_info=None):
        return start_response(status, [*headers, ("X-Worker", str(os.getpid()))], exc_info)

    if environ["PATH_INFO"] != "/sso/helpdesk":
        return wrapped_wsgi(environ, start)
    counts.add(inside=1)
    try:
        return wrapped_wsgi(environ, start)
    finally:
        counts.add(inside=-1)


# ASGI


def headers_of(scope) -> tuple[str, str]:
    headers = dict(scope["headers"])
    return headers.get(b"x-visitor", b"").decode(), headers.get(b"x-mood", b"").decode()


async def by_scope(scope):
    return await resolve_on_loop(*headers_of(scope))


def by_scope_in_thread(scope):
    return resolve_blocking(*headers_of(scope))


def plain(request):
    """Run in the application's own worker threads, as each sync route of Starlette does."""
    return JSONResponse("fine")


def on_loop(function):
    async def endpoint(request):
        return JSONResponse(function())

    return endpoint


async def not_found(request, error):
    return PlainTextResponse("not found", 404)


asgi_app = Starlette(
    routes=[
        Route("/plain", plain),
        *(Route(f"/{function.__name__}", on_loop(function)) for function in (hold, release, state)),
        Route("/counts", on_loop(counts)),
    ],
    exception_handlers={404: not_found},
)


def counted(app):
    """Say in each answer which process gave it, and count visits to the Auth URL."""

    async def counting(scope, receive, send):
        async def send_signed(message):
            if message["type"] == "http.response.start":
                worker = (b"x-worker", str(os.getpid()).encode())
                message = {**message, "headers": [*message["headers"], worker]}
            await send(message)

        if scope["type"] != "http" or scope["path"] != "/sso/helpdesk":
            await app(scope, receive, send_signed)
            return
        counts.add(inside=1)
        try:
            await app(scope, receive, send_signed)
        finally:
            counts.add(inside=-1)

    return counting


def wrapped(choose, resolver):
    return counted(sso_middleware.asgi.SSOMiddleware(asgi_app, choose, resolver, **OPTIONS))


asgi = wrapped(choose_letting_others_in_on_loop, by_scope)
asgi_in_threads = wrapped(choose_letting_others_in, by_scope_in_thread)
