"""Resolvers made of resolvers, on both protocols."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from werkzeug.local import LocalProxy

from clients import JANE, ASGISite, WSGISite, jane, never, nobody, raising
from sso_middleware import ConfigError, HandoffRefused, ResolverError, ResolverUnavailable, resolvers
from sso_middleware._calls import Reader, is_async
from sso_middleware.resolvers import first_of, only_domains, require

PATH = "/sso/helpdesk"


def as_async(function):
    async def resolve(source):
        return function(source)

    return resolve


def as_object(function):
    class Resolver:
        async def __call__(self, source):
            return function(source)

    return Resolver()


def as_lazy(function):
    return lambda source: LocalProxy(lambda: function(source))


def unchanged(function):
    return function


def in_thread_then_awaited(function):
    return lambda source: as_async(function)(source)


KINDS = [
    (WSGISite, unchanged),
    (WSGISite, as_lazy),
    (ASGISite, unchanged),
    (ASGISite, as_lazy),
    (ASGISite, as_async),
    (ASGISite, as_object),
]
each_kind = pytest.mark.parametrize(
    ("site", "kind"), KINDS, ids=[f"{site.protocol}, {kind.__name__}" for site, kind in KINDS]
)


def answer(site, resolver):
    """The address that is handed off, ``"login"``, or the status."""
    reply = site(resolver, options={"login_url": "/login"}).get(PATH)
    if reply.status != 303:
        return reply.status
    return "login" if reply["location"].startswith("/login") else reply.claims["email"]


def joe(source):
    return "joe@example.org"


@each_kind
class TestFirstOf:
    def test_first_one_that_knows(self, site, kind):
        """The first that knows the visitor is believed, and none is asked after it."""
        assert answer(site, first_of(kind(nobody), kind(jane), kind(never))) == JANE
        assert answer(site, first_of(kind(joe), kind(jane))) == "joe@example.org"

    def test_nobody_knows(self, site, kind):
        """A visitor whom none knows is anonymous."""
        assert answer(site, first_of(kind(nobody), kind(nobody))) == "login"

    def test_address_missing(self, site, kind):
        """A signed-in user without an address is not looked for elsewhere."""
        assert answer(site, first_of(kind(lambda source: ""), kind(jane))) == 403

    @pytest.mark.parametrize(
        ("error", "status"), [(HandoffRefused("no"), 403), (ResolverUnavailable(), 503)], ids=["403", "503"]
    )
    def test_refusal_ends_the_search(self, site, kind, error, status):
        """A refusal or an outage is the answer."""
        resolver = raising(error)
        assert answer(site, first_of(kind(nobody), resolver if kind is as_lazy else kind(resolver))) == status


@each_kind
class TestRequire:
    def test_predicate(self, site, kind):
        """Who satisfies the predicate is handed off, anybody else is refused with the reason."""

        def has_plan(email):
            return email == JANE

        assert answer(site, require(kind(jane), has_plan, "no_plan")) == JANE
        reply = site(require(kind(joe), has_plan, "no_plan")).get(PATH)
        assert reply.status == 403
        assert "no_plan" in reply.text

    @pytest.mark.parametrize(("email", "expected"), [(None, "login"), ("", 403)])
    def test_nobody_is_not_put_to_it(self, site, kind, email, expected):
        """Neither an anonymous visitor nor a user without an address is put to the predicate."""
        assert answer(site, require(kind(lambda source: email), never, "no_plan")) == expected

    def test_something_else(self, site, kind):
        """What is no address is the gate's to complain of."""
        with pytest.raises(ResolverError):
            answer(site, require(kind(lambda source: 7), never, "no_plan"))

    @pytest.mark.parametrize(
        ("domains", "expected"),
        [
            (["example.com"], JANE),
            (["EXAMPLE.com"], JANE),
            (["example.org", "example.com"], JANE),
            (["example.org"], 403),
            (["com"], 403),
            (["le.com"], 403),
            (["www.example.com"], 403),
        ],
        ids=str,
    )
    def test_only_domains(self, site, kind, domains, expected):
        """Exactly these domains, in upper or lower case, and no subdomain or parent."""
        assert answer(site, only_domains(kind(jane), *domains)) == expected


def test_part_that_is_not_hashable():
    """A part may be any callable object, also one that compares by value."""

    class Part:
        __hash__ = None

        def __call__(self, source):
            return JANE

    assert ASGISite(first_of(as_async(nobody), Part())).get(PATH).claims["email"] == JANE


def test_predicate_that_finds_something():
    """A predicate may return what it found, such as a row of a database, or nothing."""
    staff = {JANE: {"role": "support"}}
    assert require(jane, staff.get, "not_staff")({}) == JANE
    with pytest.raises(HandoffRefused, match="not_staff"):
        require(lambda source: "joe@example.com", staff.get, "not_staff")({})


def test_only_domains_tells_the_reason():
    """The reason is a code of its own; the address stays as it is, also in upper case."""
    resolver = only_domains(lambda source: "a@example.com@evil.example", "example.com")
    with pytest.raises(HandoffRefused, match="domain_not_allowed"):
        resolver({})
    assert only_domains(lambda source: "Jane@EXAMPLE.COM", "example.com")({}) == "Jane@EXAMPLE.COM"


@pytest.mark.parametrize(
    ("combination", "expected"),
    [
        (lambda part: first_of(jane, part), True),
        (lambda part: first_of(part, jane), True),
        (lambda part: first_of(jane, first_of(part)), True),
        (lambda part: require(part, bool, "no"), True),
        (lambda part: require(jane, part, "no"), True),
        (lambda part: only_domains(part, "example.com"), True),
        (lambda part: first_of(jane, require(jane, bool, "no")), False),
    ],
    ids=["second", "first", "nested", "resolver", "predicate", "domains", "none"],
)
def test_async_as_soon_as_one_part_is(combination, expected):
    """So the WSGI middleware sees at once that it cannot be used there."""
    assert is_async(combination(as_async(jane))) is expected
    assert not is_async(combination(jane))


@pytest.mark.parametrize(
    "combine", [first_of, lambda part: require(part, bool, "no")], ids=["first_of", "require"]
)
def test_hidden_coroutine(site, combine):
    """A part that turns out async only when called is an error, never an unchecked address."""
    with pytest.raises(ResolverError, match="async def"):
        answer(site, combine(in_thread_then_awaited(jane)))


def test_hidden_coroutine_in_the_predicate(site):
    """A predicate that turns out async only when called is one as well."""
    with pytest.raises(ResolverError, match="async def"):
        answer(site, require(jane, in_thread_then_awaited(lambda email: False), "no"))


def test_hidden_future():
    """A part that returns another awaitable than a coroutine is an error, too."""

    class Later:
        def __await__(self):
            yield

    with pytest.raises(ResolverError, match="async def"):
        first_of(lambda source: Later())({})


def test_hidden_coroutine_beside_an_async_part():
    """In an async combination it is awaited."""
    assert answer(ASGISite, first_of(as_async(nobody), in_thread_then_awaited(jane))) == JANE


def test_lazy_proxy_from_an_async_part():
    """A proxy that an async part returns counts as what it stands for."""
    assert answer(ASGISite, first_of(as_async(as_lazy(nobody)), as_async(as_lazy(jane)))) == JANE


def test_another_proxy_for_none():
    """Another kind of lazy proxy for `None` counts as `None`."""

    class Proxy:
        __class__ = type(None)

    assert first_of(lambda source: Proxy(), jane)({}) == JANE


def test_async_predicate():
    """The predicate may be async under ASGI."""
    assert answer(ASGISite, require(jane, as_async(lambda email: email == JANE), "no")) == JANE
    assert answer(ASGISite, require(joe, as_async(lambda email: email == JANE), "no")) == 403


def test_predicate_that_is_not_called():
    """A predicate that gives a method instead of an answer is an error."""
    with pytest.raises(ResolverError, match="neither yes nor no"):
        answer(WSGISite, require(jane, lambda email: email.isascii, "no"))


def test_part_of_your_own_among_readers():
    """A sync resolver of your own may block, so its combination runs in a worker thread."""
    threads = []

    def own(scope):
        threads.append(threading.current_thread())
        return JANE

    assert answer(ASGISite, first_of(Reader(nobody), own)) == JANE
    assert threading.main_thread() not in threads


def test_blocking_parts_run_in_threads():
    """A sync part of an async combination does not block the event loop, and a proxy is forced there."""
    threads = []

    def load():
        threads.append(threading.current_thread())
        return JANE

    assert answer(ASGISite, first_of(as_async(nobody), lambda source: LocalProxy(load))) == JANE
    assert threads
    assert threading.main_thread() not in threads


class TestSettings:
    @pytest.mark.parametrize("parts", [[], [None], [jane, JANE]], ids=len)
    def test_first_of(self, parts):
        """At least one resolver, and nothing else."""
        with pytest.raises(ConfigError, match="resolver: must be a callable"):
            first_of(*parts)

    def test_require(self):
        """Every wrong setting is named."""
        with pytest.raises(ConfigError) as caught:
            require(None, None, "No plan!")
        assert caught.value.problems.keys() == {"resolver", "predicate", "reason"}
        with pytest.raises(ConfigError, match="reason: must be a code of 1 to 64"):
            require(jane, bool, "No plan!")

    @pytest.mark.parametrize(
        "domains",
        [[], [""], ["@example.com"], ["example.com", None], [["example.com"]], ["*.example.com"], ["a b"]],
        ids=repr,
    )
    def test_only_domains(self, domains):
        """At least one domain, without the @."""
        with pytest.raises(ConfigError) as caught:
            only_domains(jane, *domains)
        assert caught.value.problems.keys() == {"domains"}

    def test_only_domains_of_nobody(self):
        """Every wrong setting is named."""
        with pytest.raises(ConfigError) as caught:
            only_domains(None, "@example.com")
        assert caught.value.problems.keys() == {"resolver", "domains"}


def test_names_of_the_package():
    """The combinators are found in the package, and nothing else is."""
    assert {"first_of", "only_domains", "require"} <= set(dir(resolvers))
    with pytest.raises(AttributeError, match="'last_of'"):
        _ = resolvers.last_of


FRAMEWORKS = {
    "anyio",
    "bottle",
    "django",
    "flask",
    "flask_login",
    "pyramid",
    "quart",
    "starlette",
    "werkzeug",
}


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("resolvers", set()),
        ("resolvers.proxy", set()),
        ("resolvers.starlette", {"starlette", "anyio"}),
        ("resolvers.flask", {"flask", "werkzeug"}),
        ("resolvers.bottle", {"bottle"}),
        ("resolvers.pyramid", {"pyramid"}),
        ("resolvers.quart", {"quart", "flask", "werkzeug"}),
    ],
)
def test_no_framework_of_someone_elses_choice(module, allowed):
    """Importing a module of resolvers imports its own framework and what that stands on."""
    program = f"import sys, sso_middleware.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert set(loaded.stdout.split()) & FRAMEWORKS == allowed
