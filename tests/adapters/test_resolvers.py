"""What a resolver may be and return, and where it runs."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import enum
import functools
import logging
import threading

import anyio
import pytest
from django.utils.functional import SimpleLazyObject
from hypothesis import assume, given
from hypothesis import strategies as st
from werkzeug.local import LocalProxy

from clients import DESK, JANE, ASGISite, UnprefixedASGISite, WSGISite, jane, make_desk, make_scope, nobody
from sso_middleware import (
    ConfigError,
    HandoffRefused,
    HelpDesk,
    Logout,
    MiddlewareOrderError,
    ResolverError,
    asgi,
    wsgi,
)
from sso_middleware._urls import mount_prefix
from sso_middleware.resolvers import first_of

PATH = "/sso/helpdesk"


class LazyObject:
    """A proxy in the manner of Django's SimpleLazyObject: it forwards, and says it is what it wraps."""

    def __init__(self, function):
        self.__dict__["_function"] = function

    @property
    def __class__(self):
        return type(self._function())

    def __getitem__(self, key):
        return self._function()[key]

    def __getattr__(self, name):
        return getattr(self._function(), name)


class Address(str):
    __slots__ = ()

    def __str__(self):
        return "not the address"

    def __getitem__(self, key):
        return Address(super().__getitem__(key))


class Known(str, enum.Enum):  # noqa: UP042 - a StrEnum's str() is its value; this one's is not
    JANE = JANE


class Strange:
    """Claims to be a str and is none."""

    __class__ = str

    def __getitem__(self, key):
        return 7


STRINGS = {"subclass": Address(JANE), "enum": Known.JANE}


class TestValues:
    @pytest.mark.parametrize("kind", STRINGS)
    def test_str_subclass(self, site, kind):
        """A str subclass or str-Enum counts as its string."""
        assert site(lambda source: STRINGS[kind]).get(PATH).claims["email"] == JANE

    @pytest.mark.parametrize("proxy", [LocalProxy, LazyObject])
    @pytest.mark.parametrize("kind", ["plain", *STRINGS])
    def test_lazy_proxy(self, site, proxy, kind):
        """A lazy proxy counts as the plain string that it stands for."""
        assert site(lambda source: proxy(lambda: STRINGS.get(kind, JANE))).get(PATH).claims["email"] == JANE

    @pytest.mark.parametrize("proxy", [LocalProxy, LazyObject])
    def test_lazy_none(self, site, proxy):
        """A proxy of None is an anonymous visitor."""
        assert (
            site(lambda source: proxy(lambda: None), options={"login_url": "/login"})
            .get(PATH)["location"]
            .startswith("/login")
        )

    @pytest.mark.parametrize("proxy", [LocalProxy, LazyObject])
    def test_proxy_of_something_else(self, site, proxy):
        """A proxy of anything else is a ResolverError."""
        with pytest.raises(ResolverError):
            site(lambda source: proxy(lambda: 7)).get(PATH)

    @pytest.mark.parametrize("proxy", [LocalProxy, SimpleLazyObject])
    @pytest.mark.parametrize(
        "error",
        [RuntimeError, AttributeError, KeyError, MiddlewareOrderError, HandoffRefused("blocked")],
        ids=str,
    )
    def test_error_in_a_lazy_proxy(self, site, proxy, error):
        """An error that a proxy raises is the error there is, and none about the proxy."""

        def load():
            raise error

        async def resolve_async(source):
            return proxy(load)

        for resolve_email in (lambda source: proxy(load), resolve_async)[: 1 if site is WSGISite else 2]:
            pages = site(resolve_email)
            if isinstance(error, HandoffRefused):
                assert pages.get(PATH).status == 403
            else:
                with pytest.raises(error):
                    pages.get(PATH)

    def test_what_only_claims_to_be_a_string(self, site):
        """An object that says it is a str, and is not, is a ResolverError."""
        with pytest.raises(ResolverError, match="Strange"):
            site(lambda source: Strange()).get(PATH)

    def test_proxy_is_forced_inside_the_resolver_call(self):
        """On ASGI a proxy that reads a database does so in the worker thread, not on the event loop."""
        threads = []

        def load():
            threads.append(threading.current_thread())
            return JANE

        assert ASGISite(lambda scope: LocalProxy(load)).get(PATH).is_handoff
        assert threading.main_thread() not in threads


@given(st.text())
def test_any_string(value):
    """For any string that a resolver returns, exactly this address is signed, or the answer is 403."""
    for kind in (WSGISite, ASGISite):
        reply = kind(lambda source: value).get(PATH)
        assert reply.status in (303, 403)
        if reply.status == 303:
            assert reply.claims["email"] == value


@given(
    st.from_regex(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9]{1,20}(\.[a-z]{1,9}){0,3}", fullmatch=True)
)
def test_any_address(value):
    """Whatever address a resolver gives is signed verbatim."""
    for kind in (WSGISite, ASGISite):
        assert kind(lambda source: value).get(PATH).claims["email"] == value


HEADER_NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True).filter(
    lambda name: (
        name.lower() not in {"purpose", "x-moz", "x-purpose", "cookie", "content-type", "content-length"}
        and not name.lower().startswith("sec-")
    )
)
HEADER_VALUE = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40
)
FIXED = make_desk()


@given(
    headers=st.lists(st.tuples(HEADER_NAME, HEADER_VALUE), max_size=4),
    query=st.text("abc=&%/:.?", max_size=20),
)
def test_no_header_changes_the_redirect(headers, query):
    """Nothing of the request but the resolver's answer reaches the redirect."""
    for kind in (WSGISite, UnprefixedASGISite):
        reply = kind(jane, FIXED).get(PATH, headers=headers, query=query)
        token = reply.query["token"][0]
        assert reply["location"] == (
            f"https://acme.example/sso?token={token}&account_id=4711"
            "&auth_url=https%3A%2F%2Fapp.example.com%2Fsso%2Fhelpdesk"
        )
        assert reply.claims["email"] == JANE


@given(
    path=st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    prefix=st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT"]),
    cookie=HEADER_VALUE,
    email=st.none() | st.text(max_size=20) | st.just(JANE),
)
def test_no_response_header_holds_a_control_character(path, prefix, method, cookie, email):
    """No input splits one of our headers."""
    # Where a server leaves the prefix out of the path, a path cannot begin with it.
    mount = mount_prefix(prefix)
    assume(not any(f"{place}/".startswith(f"{mount}/") for place in ("/" + path, "/-/out") if mount))
    try:
        options = {
            "paths": "/" + path,
            "login_url": "/login",
            "logout": Logout(lambda source: [], path="/-/out"),
        }
        sites = [kind(lambda source: email, options=options) for kind in (WSGISite, UnprefixedASGISite)]
    except ConfigError:
        return
    for pages in sites:
        for place in ("/" + path, "/-/out"):
            reply = pages.request(
                method, place, prefix=prefix, headers=[("Cookie", f"sso_handoffs={cookie}")]
            )
            assert not reply.by_app
            for name, value in reply.headers:
                assert (name + value).isprintable(), name
                assert (name + value).isascii(), name


class AsyncObject:
    async def __call__(self, source):
        return JANE


class SyncObject:
    def __call__(self, source):
        return JANE

    async def unrelated(self):
        pass


async def jane_async(source):
    return JANE


async def two_arguments(extra, source):
    return extra


class TestAsync:
    @pytest.mark.parametrize(
        "resolve_email",
        [
            jane_async,
            AsyncObject(),
            AsyncObject().__call__,
            functools.partial(two_arguments, JANE),
            functools.partial(AsyncObject()),
        ],
    )
    def test_coroutine_functions_run_on_the_event_loop(self, resolve_email):
        """A coroutine function, or an object whose __call__ is one, costs no thread."""
        threads = []

        @functools.wraps(resolve_email)
        async def watched(scope):
            threads.append(threading.current_thread())
            return await resolve_email(scope)

        assert ASGISite(resolve_email).get(PATH).claims["email"] == JANE
        assert ASGISite(watched).get(PATH).is_handoff
        assert threads == [threading.main_thread()]

    @pytest.mark.parametrize("resolve_email", [SyncObject(), functools.partial(jane)])
    def test_other_callables_run_in_a_thread(self, resolve_email):
        """Any other callable runs in a worker thread."""
        threads = []

        def watched(scope):
            threads.append(threading.current_thread())
            return resolve_email(scope)

        assert ASGISite(watched).get(PATH).claims["email"] == JANE
        assert threading.main_thread() not in threads

    def test_lambda_that_returns_a_coroutine(self):
        """If a plain callable returns an awaitable, that is awaited."""
        assert ASGISite(lambda scope: jane_async(scope)).get(PATH).claims["email"] == JANE

    def test_async_helpdesk_and_end_session(self):
        """helpdesk and end_session follow the same rules."""

        async def choose(scope, email):
            return make_desk(account_id="42")

        async def end_session(scope):
            return [("Set-Cookie", "a=b")]

        options = {"paths": PATH, "logout": Logout(end_session, path="/out")}
        for helpdesk in (choose, lambda scope, email: choose(scope, email)):
            pages = ASGISite(jane, helpdesk, options)
            assert pages.get(PATH).query["account_id"] == ["42"]
            assert pages.get("/out")["set-cookie"] == "a=b"

    @pytest.mark.parametrize("resolve_email", [jane_async, AsyncObject(), functools.partial(jane_async)])
    def test_not_under_wsgi(self, resolve_email):
        """On WSGI, each of the three callables that is async is a ConfigError."""
        with pytest.raises(ConfigError, match="resolve_email: must not be async under WSGI"):
            WSGISite(resolve_email)
        with pytest.raises(ConfigError, match="helpdesk: must not be async under WSGI"):
            WSGISite(jane, resolve_email, {"paths": PATH})
        with pytest.raises(ConfigError, match="logout: must not be async under WSGI"):
            WSGISite(jane, options={"logout": Logout(resolve_email)})

    def test_lazy_helpdesk(self):
        """A lazy proxy of a HelpDesk is forced inside the call, where its context is."""
        here = threading.local()

        def choose(scope, email):
            here.desk = make_desk(account_id="42")
            return LocalProxy(lambda: here.desk)

        reply = ASGISite(jane, choose, {"paths": PATH}).get(PATH)
        assert reply.query["account_id"] == ["42"]

    def test_awaitable_under_wsgi(self):
        """An awaitable that a plain callable returns is a ResolverError, and no warning."""
        for pages, path in [
            (WSGISite(lambda environ: jane_async(environ)), PATH),
            (WSGISite(jane, lambda environ, email: jane_async(environ), {"paths": PATH}), PATH),
            (WSGISite(options={"logout": Logout(lambda environ: jane_async(environ))}), "/sso/logout"),
        ]:
            with pytest.raises(ResolverError, match="async"):
                pages.get(path)

    def test_future_under_wsgi(self):
        """A future is a ResolverError, although it can be iterated over as headers can."""
        with contextlib.closing(asyncio.new_event_loop()) as loop:
            future = asyncio.Future(loop=loop)
        with pytest.raises(ResolverError, match="async"):
            WSGISite(options={"logout": Logout(lambda environ: future)}).get("/sso/logout")

    def test_context_variables(self):
        """A sync or async resolver sees the context variables of the request."""
        tenant = contextvars.ContextVar("tenant")

        def sync(scope):
            return f"{tenant.get()}@example.com"

        async def run(resolve_email, name):
            tenant.set(name)
            return (await ASGISite(resolve_email).arequest("GET", PATH)).claims["email"]

        async def in_a_coroutine(scope):
            return sync(scope)

        assert asyncio.run(run(sync, "a")) == "a@example.com"
        assert asyncio.run(run(in_a_coroutine, "b")) == "b@example.com"

    def test_trio(self):
        """It runs on trio as well as on asyncio."""
        pages = ASGISite(jane)
        assert anyio.run(pages.arequest, "GET", PATH, backend="trio").is_handoff


def by_resolver(slow):
    return ASGISite(slow).arequest, PATH


def by_helpdesk(slow):
    def choose(scope, email):
        slow(scope)
        return DESK

    return ASGISite(jane, choose, {"paths": PATH}).arequest, PATH


def by_end_session(slow):
    def end_session(scope):
        slow(scope)
        return []

    return ASGISite(jane, options={"logout": Logout(end_session)}).arequest, "/sso/logout"


def by_combination(slow):
    async def nobody_async(scope):
        return None

    return ASGISite(first_of(nobody_async, slow)).arequest, PATH


class Hanging:
    """A callable whose threads hang until `release` is set; it counts them."""

    def __init__(self):
        self.running = self.most = self.calls = 0
        self.full, self.release, self.all_here = threading.Event(), threading.Event(), threading.Barrier(8)
        self.lock = threading.Lock()

    def __call__(self, scope):
        with self.lock:
            self.calls += 1
            self.running += 1
            self.most = max(self.most, self.running)
            if self.running == 8:
                self.full.set()
        assert self.release.wait(30)
        with self.lock:
            self.running -= 1
        return JANE

    def together(self, scope):
        self.all_here.wait(10)
        return JANE


async def settled_down(hanging):
    """Wait until eight threads hang, every other task waits, and a ninth thread would have started."""
    assert await anyio.to_thread.run_sync(hanging.full.wait, 30)
    for _ in range(3):
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(lambda: None)


@pytest.mark.parametrize("by", [by_resolver, by_helpdesk, by_end_session, by_combination])
class TestCancelled:
    """Visitors leave while what their visit waits for hangs in its thread."""

    def test_asyncio(self, by):
        """When a server cancels their tasks, their threads keep their places until they end."""
        hanging = Hanging()
        ask, path = by(hanging)
        ask_together, _ = by(hanging.together)

        async def main():
            for _ in range(3):
                visits = [asyncio.create_task(ask("GET", path)) for _ in range(20)]
                await settled_down(hanging)
                for visit in visits:
                    visit.cancel()
                    await asyncio.sleep(0)  # as each place becomes free, if it does
                with anyio.fail_after(10):  # a visit does not wait for its thread
                    results = await asyncio.gather(*visits, return_exceptions=True)
                assert {type(result) for result in results} == {asyncio.CancelledError}
                await settled_down(hanging)
            calls, most = hanging.calls, hanging.most
            hanging.release.set()
            assert (calls, most) == (8, 8)
            replies = await asyncio.gather(*(ask_together("GET", path) for _ in range(16)))
            assert {reply.status for reply in replies} == {303}

        asyncio.run(main())
        assert (hanging.calls, hanging.running) == (8, 0)

    def test_trio(self, by):
        """The same on trio, where a visit that is cancelled waits for its thread."""
        hanging = Hanging()
        ask, path = by(hanging)
        ask_together, _ = by(hanging.together)

        async def main():
            async with anyio.create_task_group() as outer:
                for _ in range(3):
                    scope = anyio.CancelScope()
                    outer.start_soon(visit_all, scope)
                    await settled_down(hanging)
                    scope.cancel()
                    await settled_down(hanging)
                most = hanging.most
                hanging.release.set()
            assert most == 8
            async with anyio.create_task_group() as tasks:
                for _ in range(16):
                    tasks.start_soon(ask_together, "GET", path)

        async def visit_all(scope):
            with scope:
                async with anyio.create_task_group() as tasks:
                    for _ in range(20):
                        tasks.start_soon(ask, "GET", path)

        anyio.run(main, backend="trio")
        assert (hanging.calls, hanging.running) == (8, 0)

    def test_before_its_thread(self, by):
        """A visit that is cancelled before its thread starts gives its place back."""
        hanging = Hanging()
        hanging.release.set()
        ask, path = by(hanging)
        ask_together, _ = by(hanging.together)

        async def main():
            for turns in range(12):
                visits = [asyncio.create_task(ask("GET", path)) for _ in range(9)]
                for _ in range(turns):
                    await asyncio.sleep(0)
                for visit in visits:
                    visit.cancel()
                await asyncio.gather(*visits, return_exceptions=True)
            replies = await asyncio.gather(*(ask_together("GET", path) for _ in range(8)))
            assert {reply.status for reply in replies} == {303}

        asyncio.run(main())

    def test_loop_ends_first(self, by):
        """A thread that outlives its event loop ends in silence."""
        hanging = Hanging()
        ask, path = by(hanging)
        before = threading.active_count()

        async def main():
            visits = [asyncio.create_task(ask("GET", path)) for _ in range(9)]
            await settled_down(hanging)
            for visit in visits:
                visit.cancel()

        asyncio.run(main())
        hanging.release.set()
        for thread in threading.enumerate():
            if thread.name.startswith("AnyIO"):
                thread.join(10)
        assert hanging.running == 0
        assert threading.active_count() <= before


class TestConcurrency:
    def test_slow_resolvers_starve_nobody_else(self):
        """However many resolvers block, the application's own threads and the event loop go on."""
        hanging = Hanging()

        async def main():
            pages = ASGISite(hanging)
            async with anyio.create_task_group() as tasks:
                for _ in range(60):
                    tasks.start_soon(pages.arequest, "GET", PATH)
                await settled_down(hanging)
                try:
                    # The application's own sync route, which Starlette runs in the default limiter:
                    with anyio.fail_after(5):
                        assert await anyio.to_thread.run_sync(lambda: "at once") == "at once"
                        assert (await pages.arequest("GET", "/other")).by_app
                finally:
                    hanging.release.set()

        asyncio.run(main())

    def test_eight_threads_per_event_loop(self):
        """At most 8 sync resolvers run at once, over all middlewares of the loop."""
        running, most, lock = 0, 0, threading.Lock()
        eight = threading.Barrier(8)

        def count(scope):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            eight.wait(10)
            with lock:
                running -= 1
            return JANE

        async def main():
            async with anyio.create_task_group() as tasks:
                for pages in (ASGISite(count), ASGISite(count)):
                    for _ in range(20):
                        tasks.start_soon(pages.arequest, "GET", PATH)

        asyncio.run(main())
        assert most == 8

    def test_several_event_loops_over_one_instance(self):
        """One middleware serves several loops in several threads at once."""
        pages = ASGISite(jane)
        replies = []

        async def main():
            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(one)

        async def one():
            replies.append(await pages.arequest("GET", PATH))

        threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({reply.claims["jti"] for reply in replies}) == 80

    def test_each_visitor_gets_their_own_address(self):
        """Under concurrency nobody is handed off as somebody else."""
        four = threading.Barrier(4)

        def resolve_email(scope):
            four.wait(10)
            return f"{scope['headers'][0][1].decode()}@example.com"

        async def one(pages, name):
            reply = await pages.arequest("GET", PATH, headers=[("X-User", name)])
            assert reply.claims["email"] == f"{name}@example.com"

        async def main():
            pages = ASGISite(resolve_email)
            async with anyio.create_task_group() as tasks:
                for number in range(100):
                    tasks.start_soon(one, pages, f"user{number}")

        asyncio.run(main())

    def test_cancellation(self):
        """A cancelled visit cancels an async resolver, sends nothing, and leaves the middleware usable."""
        cancelled, sent = [], []

        async def hang(scope):
            try:
                await anyio.sleep_forever()
            except BaseException:
                cancelled.append(1)
                raise

        async def send(message):
            sent.append(message)

        async def main():
            pages = ASGISite(hang)
            for _ in range(20):
                with anyio.move_on_after(0.001):
                    await pages.middleware(make_scope("GET", PATH), None, send)

        asyncio.run(main())
        assert len(cancelled) == 20
        assert sent == []

    def test_cancellation_of_a_thread(self):
        """A visit cancelled while its sync resolver runs gives its thread back when that ends."""
        started, release = threading.Event(), threading.Event()

        def slow(scope):
            started.set()
            assert release.wait(30)
            return JANE

        async def main():
            pages = ASGISite(slow)
            for _ in range(20):
                started.clear()
                release.clear()
                async with anyio.create_task_group() as visit:
                    visit.start_soon(pages.arequest, "GET", PATH)
                    assert await anyio.to_thread.run_sync(started.wait, 10)
                    visit.cancel_scope.cancel()
                    release.set()
            return await pages.arequest("GET", PATH)

        assert asyncio.run(main()).is_handoff


class TestPropagation:
    def test_stop_iteration(self, site):
        """A resolver that lets StopIteration out does not end in an empty answer."""
        with pytest.raises(RuntimeError, match="StopIteration"):
            site(lambda source: next(iter(()))).get(PATH)

    def test_error_of_an_awaited_resolver(self):
        """An async resolver's exceptions are treated like a sync one's."""

        async def refuse(scope):
            raise HandoffRefused("no_licence")

        async def fail(scope):
            raise KeyError("user")

        assert ASGISite(refuse).get(PATH).status == 403
        with pytest.raises(KeyError):
            ASGISite(fail).get(PATH)


class TestWrongArguments:
    def test_asgi_application_in_the_wsgi_middleware(self):
        """The ConfigError names the module for the other protocol."""

        async def app(scope, receive, send): ...

        def plain(scope, receive, send): ...

        class App:
            async def __call__(self, scope, receive, send): ...

        async def any_arguments(*args): ...

        for wrong in (app, plain, App(), any_arguments, asgi.SSOMiddleware(app, make_desk(), jane)):
            with pytest.raises(ConfigError, match=r"app: is an ASGI application: use sso_middleware\.asgi"):
                wsgi.SSOMiddleware(wrong, make_desk(), jane)

    def test_wsgi_application_in_the_asgi_middleware(self):
        """The same the other way round."""

        def app(environ, start_response): ...

        class App:
            def __call__(self, environ, start_response): ...

        for wrong in (app, App(), wsgi.SSOMiddleware(app, make_desk(), jane)):
            with pytest.raises(ConfigError, match=r"app: is a WSGI application: use sso_middleware\.wsgi"):
                asgi.SSOMiddleware(wrong, make_desk(), jane)

    def test_signature_that_cannot_be_seen(self):
        """A callable that shows no signature is taken as it is."""

        class Opaque:
            __signature__ = "none"

            def __call__(self, *arguments): ...

        for module in (wsgi, asgi):
            module.SSOMiddleware(Opaque(), make_desk(), jane)

    def test_every_wrong_setting_is_named(self, site):
        """All problems are said at once."""
        with pytest.raises(ConfigError) as caught:
            site.module.SSOMiddleware(
                None, None, None, paths="x", login_url="y", next_param="", logout=7, on_event=8
            )
        assert caught.value.problems.keys() == {
            "app",
            "helpdesk",
            "resolve_email",
            "paths",
            "login_url",
            "next_param",
            "logout",
            "on_event",
        }

    @pytest.mark.parametrize("helpdesk", [HelpDesk, HelpDesk.from_env], ids=["class", "from_env"])
    @pytest.mark.parametrize("options", [{}, {"paths": PATH}], ids=["default", "paths"])
    def test_helpdesk_not_called(self, site, helpdesk, options):
        """HelpDesk.from_env without its parentheses is no callable that chooses a HelpDesk."""
        with pytest.raises(ConfigError, match=r"helpdesk: .* call HelpDesk\.from_env\(\)"):
            site(jane, helpdesk, options)

    def test_async_on_event(self, site):
        """on_event is called, not awaited."""

        async def on_event(event): ...

        with pytest.raises(ConfigError, match="on_event: must not be async"):
            site(jane, options={"on_event": on_event})


class TestUnanswered:
    def test_one_warning_ever(self, site, caplog):
        """That the application itself must answer anonymous visitors is said once, by 20 threads, too."""
        pages = site(nobody)
        threads = [threading.Thread(target=pages.get, args=(PATH,)) for _ in range(20)]
        with caplog.at_level(logging.WARNING, "sso_middleware"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        (record,) = caplog.records
        assert "answers anonymous visitors at '/sso/helpdesk' itself" in record.getMessage()
