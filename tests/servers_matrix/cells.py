"""What the matrix is made of: servers, ways to reach the application, and processes that do it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from processes import nginx, process
from servers import HOST, free_port

HERE = Path(__file__).parent
SSO_TOKEN = "an SSO Token of at least thirty-two bytes"
SSO_AUTH_URL = "https://helpdesk.example/sso"
ACCOUNT_ID = "4711"
PROXY_SECRET = "the-secret-of-the-proxy-known-to-it-alone"


@dataclass(frozen=True)
class ServerKind:
    """A server; `command(port, prefix)` starts it, and `prefix` is what it is told the proxy strips."""

    name: str
    protocol: str
    module: str
    command: Callable[[int, str], list[str]]
    prefix_in_path: bool = False  # what Starlette's Mount relies on
    # What the application sees of the proxy's header if a visitor's own comes beside it: "both", which the
    # resolver refuses, or the "last" alone.
    doubled: Literal["both", "last"] = "both"
    # The same under a name with underscores: "told apart", "dropped", "joined" to the proxy's, or the "last".
    twin: Literal["told apart", "dropped", "joined", "last"] = "dropped"
    strips_no_break_space: bool = False  # around a header's value

    @property
    def is_installed(self) -> bool:
        return importlib.util.find_spec(self.module) is not None


def _flag(name: str, prefix: str) -> list[str]:
    return [name, prefix] if prefix else []


#: What a visitor's own header, let through by a careless proxy, comes to: what a server shows of it, and
#: what `trusted_header` answers then.
DOUBLED = {"both": "refused", "last": "**the last counts**"}
TWIN_BESIDE = {
    "told apart": "refused",
    "dropped": "dropped by the server",
    "joined": "refused",
    "last": "**the last counts**",
}
TWIN_ALONE = {
    "told apart": "refused",
    "dropped": "dropped by the server",
    "joined": "**counts**",
    "last": "**counts**",
}


def table_of_forged_headers() -> str:
    """What each server does with a forged header, as the tests of the matrix have seen it."""
    rows = [
        (
            server.name,
            server.protocol,
            DOUBLED[server.doubled],
            TWIN_BESIDE[server.twin],
            TWIN_ALONE[server.twin],
        )
        for server in SERVERS
    ]
    head = (
        "Server",
        "Protocol",
        "the header twice",
        "its underscore twin beside it",
        "its underscore twin alone",
    )
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


SERVERS = [
    ServerKind(
        "uvicorn",
        "ASGI",
        "uvicorn",
        lambda port, prefix: [
            *("uvicorn", "--host", HOST, "--port", str(port), *_flag("--root-path", prefix), "apps:asgi")
        ],
        prefix_in_path=True,
        twin="told apart",
    ),
    ServerKind(
        "hypercorn",
        "ASGI",
        "hypercorn",
        lambda port, prefix: [
            *("hypercorn", "--bind", f"{HOST}:{port}", *_flag("--root-path", prefix), "apps:asgi")
        ],
        twin="told apart",
    ),
    ServerKind(
        "granian",
        "ASGI",
        "granian",
        lambda port, prefix: [
            *("granian", "--interface", "asgi", "--host", HOST, "--port", str(port)),
            *(*_flag("--url-path-prefix", prefix), "apps:asgi"),
        ],
        twin="told apart",
    ),
    ServerKind(
        "gunicorn (asgi)",
        "ASGI",
        "gunicorn",
        lambda port, prefix: [
            *("gunicorn", "--worker-class", "asgi", "--bind", f"{HOST}:{port}"),
            *(*_flag("--root-path", prefix), "apps:asgi"),
        ],
    ),
    # WSGI servers are told by the proxy: X-Forwarded-Prefix, read by Werkzeug's ProxyFix.
    ServerKind(
        "gunicorn (sync)",
        "WSGI",
        "gunicorn",
        lambda port, _: ["gunicorn", "--worker-class", "sync", "--bind", f"{HOST}:{port}", "apps:wsgi"],
    ),
    ServerKind(
        "gunicorn (gthread)",
        "WSGI",
        "gunicorn",
        lambda port, _: [
            *("gunicorn", "--worker-class", "gthread", "--threads", "4", "--bind", f"{HOST}:{port}"),
            "apps:wsgi",
        ],
    ),
    ServerKind(
        "waitress", "WSGI", "waitress", lambda port, _: ["waitress", f"--listen={HOST}:{port}", "apps:wsgi"]
    ),
    ServerKind(
        "cheroot",
        "WSGI",
        "cheroot",
        lambda port, _: ["cheroot", "--bind", f"{HOST}:{port}", "apps:wsgi"],
        doubled="last",
        twin="last",
    ),
    ServerKind(
        "granian",
        "WSGI",
        "granian",
        lambda port, _: [
            *("granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "apps:wsgi")
        ],
        twin="last",
    ),
    ServerKind("Werkzeug", "WSGI", "werkzeug", lambda port, _: ["serve", "werkzeug", str(port)]),
    ServerKind(
        "uWSGI",
        "WSGI",
        "pyuwsgi",
        lambda port, _: ["serve", "uwsgi", str(port)],
        twin="joined",
    ),
    ServerKind(
        "wsgiref",
        "WSGI",
        "wsgiref",
        lambda port, _: ["serve", "wsgiref", str(port)],
        twin="joined",
        strips_no_break_space=True,
    ),
    ServerKind(
        "Tornado's WSGIContainer",
        "WSGI",
        "tornado",
        lambda port, _: ["serve", "tornado", str(port)],
        twin="last",
    ),
    ServerKind(
        "uvicorn --interface wsgi",
        "WSGI",
        "uvicorn",
        lambda port, _: [
            *("uvicorn", "--host", HOST, "--port", str(port), "--interface", "wsgi", "apps:wsgi")
        ],
        twin="joined",
    ),
    ServerKind(
        "hypercorn",
        "WSGI",
        "hypercorn",
        lambda port, _: ["hypercorn", "--bind", f"{HOST}:{port}", "wsgi:apps:wsgi"],
        twin="joined",
    ),
    ServerKind(
        "a2wsgi on uvicorn",
        "WSGI",
        "a2wsgi",
        lambda port, _: ["serve", "a2wsgi", str(port)],
        twin="joined",
    ),
    ServerKind(
        "asgiref's WsgiToAsgi on uvicorn",
        "WSGI",
        "asgiref",
        lambda port, _: ["serve", "asgiref", str(port)],
        twin="joined",
    ),
]


@dataclass(frozen=True)
class Way:
    """A way to reach the application. What the visitor sees in front of its paths is `public`."""

    name: str
    public: str
    mount: str = ""
    nginx: str = ""  # "strips" or "keeps" its prefix
    login_url: str = "/login"

    @property
    def stripped(self) -> str:
        return "/outer" if self.nginx == "strips" else ""


WAYS = [
    Way("direct", ""),
    Way("direct, mounted", "/app", mount="/app"),
    Way("nginx keeps prefix", "/outer", nginx="keeps", login_url="/outer/login"),
    Way("nginx keeps prefix, mounted", "/outer", mount="/outer", nginx="keeps"),
    Way("nginx strips prefix", "/outer", nginx="strips"),
    Way("nginx strips prefix, mounted", "/outer/app", mount="/app", nginx="strips"),
]


@dataclass(frozen=True)
class Cell:
    """A server that runs, reached in some way."""

    server: ServerKind
    way: Way
    origin: str

    @property
    def base_url(self) -> str:
        return self.origin + self.way.public

    @property
    def auth_url(self) -> str:
        return f"{self.base_url}/sso/helpdesk"


@contextmanager
def running(server: ServerKind, way: Way, directory: Path) -> Iterator[Cell]:
    """Start the server, and nginx where there is one, and stop both in the end."""
    port = free_port()
    front = free_port() if way.nginx else port
    origin = f"http://{HOST}:{front}"
    # Starlette's Mount finds its way by a prefix in the path. Where the server does not put it there,
    # the application does.
    by_app = way.stripped if server.protocol == "WSGI" or (way.mount and not server.prefix_in_path) else ""
    settings = {
        "HELPDESK_SSO_TOKEN": SSO_TOKEN,
        "HELPDESK_SSO_AUTH_URL": SSO_AUTH_URL,
        "HELPDESK_ACCOUNT_ID": ACCOUNT_ID,
        "HELPDESK_AUTH_URL": f"{origin}{way.public}/sso/helpdesk",
        "PROXY_SECRET": PROXY_SECRET,
        "MATRIX_LOGIN_URL": way.login_url,
        "MATRIX_MOUNT": way.mount,
        "MATRIX_PREFIX": by_app,
    }
    command = [sys.executable, "-m", *server.command(port, "" if by_app else way.stripped)]
    with process(command, port, directory / "server.txt", settings | {"PYTHONPATH": str(HERE)}):
        if not way.nginx:
            yield Cell(server, way, origin)
            return
        target = f"http://{HOST}:{port}{'/' if way.nginx == 'strips' else ''}"
        with nginx(directory, front, PROXY.format(host=HOST, port=front, target=target, secret=PROXY_SECRET)):
            yield Cell(server, way, origin)


#: The proxy says who is signed in; here it believes a cookie, where a real one would ask oauth2-proxy.
PROXY = """
server {{
    listen {host}:{port};
    location /outer/ {{
        proxy_pass {target};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-Prefix /outer;
        proxy_set_header X-Proxy-Secret "{secret}";
        proxy_set_header X-Auth-Request-Email $cookie_visitor;
    }}
}}
"""
