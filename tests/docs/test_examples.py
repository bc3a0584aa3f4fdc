"""Every file in examples/ is started on its real server and walked by HTTP, as a visitor would."""

from __future__ import annotations

import ast
import functools
import re
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import parse_qsl, urljoin

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import forks
import quick_hashes
from servers import PATIENCE, Server, clean_environment, local_client, serving

EXAMPLES = {path.stem: path for path in (Path(__file__).parents[2] / "examples").rglob("*.py")}
QUICK_HASHES = Path(quick_hashes.__file__)
BEARER = "fastapi_bearer"
BEHIND_A_PROXY = {  # walked in test_proxy_examples.py; and the settings of their own
    "cloudflare_assertion": ["ACCESS_TEAM", "ACCESS_AUDIENCE"],
    "oauth2_proxy_headers": ["PROXY_SECRET"],
}
WITH_SESSION = sorted(
    EXAMPLES.keys() - {BEARER} - BEHIND_A_PROXY.keys()
)  # whatever is new is taken for one of these
SECRETLESS = {"plain_wsgi", "litestar_route"}  # sessions on the server; the cookie is random, and unsigned
CSRF_FIELD = "csrfmiddlewaretoken"  # of the Django examples
ON_SERVER = sorted(SECRETLESS | {"bottle_beaker"})

SSO_TOKEN = "an SSO Token of at least thirty-two bytes"
GLOBEX_SSO_TOKEN = "the SSO Token of another account, of another brand"
SESSION_SECRET = "a session secret of at least thirty-two bytes"
PASSWORD = "the password of jane and joe"
SSO_AUTH_URL = "https://helpdesk.example/sso"
ACCOUNT_ID = "4711"


def on(*examples):
    """Run a test on each of the examples; all tests of one run in a row, so that it is started once."""
    return pytest.mark.parametrize("example", examples, scope="module")


each_example = on(*sorted(EXAMPLES))
each_session_example = on(*WITH_SESSION)


def settings(port: int, origin: str = "http://127.0.0.1") -> dict[str, str]:
    return {
        "HELPDESK_SSO_TOKEN": SSO_TOKEN,
        "HELPDESK_SSO_AUTH_URL": SSO_AUTH_URL,
        "HELPDESK_ACCOUNT_ID": ACCOUNT_ID,
        "HELPDESK_AUTH_URL": f"{origin}:{port}/sso/helpdesk",
        "HELPDESK_LOGOUT_URL": f"{origin}:{port}/sso/logout",
        "SESSION_SECRET": SESSION_SECRET,
        "DEMO_PASSWORD": PASSWORD,
        "PORT": str(port),
        "GLOBEX_SSO_TOKEN": GLOBEX_SSO_TOKEN,
        "GLOBEX_SSO_AUTH_URL": "https://globex.example/sso",
        "GLOBEX_ACCOUNT_ID": "4712",
        "GLOBEX_AUTH_URL": f"{origin}:{port}/sso/helpdesk",
        "GLOBEX_LOGOUT_URL": f"{origin}:{port}/sso/logout",
        "ACCESS_TEAM": "acme",
        "ACCESS_AUDIENCE": "the-audience-tag",
        "PROXY_SECRET": "the-secret-that-the-proxy-alone-knows",
    }


@pytest.fixture(scope="module")
def server(example, tmp_path_factory) -> Iterator[Server]:
    """The example on its own server."""
    with serve(example, settings, tmp_path_factory.mktemp(example) / "output.txt") as server:
        yield server


def serve(example: str, settings: Callable[[int], dict[str, str]], log: Path, **options):
    runner = QUICK_HASHES if example.startswith("django") else None
    return serving(EXAMPLES[example], settings, log, runner=runner, **options)


@pytest.fixture
def visitor(server) -> Iterator[httpx.Client]:
    with local_client(server.base_url) as client:
        yield client


class Page(HTMLParser):
    """The links, by their text, and the form's action and hidden fields of a page."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.action = ""
        self.hidden: dict[str, str] = {}
        self._href = None
        assert response.headers["content-type"].startswith("text/html")
        self.feed(response.text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "a":
            self._href = attributes["href"]
        elif tag == "form":
            assert attributes["method"] == "post"
            self.action = attributes["action"]
        elif tag == "input" and attributes.get("type") == "hidden":
            self.hidden[attributes["name"]] = attributes["value"]

    def handle_data(self, data):
        if self._href:
            self.links[data] = self._href
            self._href = None


def open_support(visitor: httpx.Client) -> httpx.Response:
    return visitor.get(Page(visitor.get("/")).links["Support"])


def sign_in(visitor: httpx.Client, name: str, password: str = PASSWORD, at: str = "/login", **fields: str):
    form = Page(visitor.get(at))
    return visitor.post(form.action, data={**form.hidden, "name": name, "password": password, **fields})


def hidden_fields(response: httpx.Response) -> dict[str, str]:
    """Return what the form keeps, but for Django's own token."""
    return {name: value for name, value in Page(response).hidden.items() if name != CSRF_FIELD}


def is_sent_to_login(response: httpx.Response) -> bool:
    return (response.status_code, response.headers.get("location")) == (303, "/login?next=/sso/helpdesk")


def verified(url: str, server: Server) -> dict[str, object]:
    """Return the claims of a hand-off, which is judged by joserfc: a JWT implementation not our own."""
    endpoint, _, query = url.partition("?")
    parameters = parse_qsl(query, strict_parsing=True)
    assert endpoint == SSO_AUTH_URL
    assert parameters[1:] == [("account_id", ACCOUNT_ID), ("auth_url", f"{server.base_url}/sso/helpdesk")]
    assert parameters[0][0] == "token"
    token = jwt.decode(parameters[0][1], OctKey.import_key(SSO_TOKEN), algorithms=["HS256"])
    assert token.header == {"alg": "HS256", "typ": "JWT"}
    assert token.claims.keys() == {"email", "iat", "jti"}
    assert time.time() - PATIENCE < token.claims["iat"] <= time.time()
    return token.claims


def test_the_examples_are_found():
    """The examples are where these tests look for them, or else nothing here would be tested."""
    assert EXAMPLES.keys() >= {
        "bottle_app",
        "bottle_beaker",
        "cloudflare_assertion",
        "falcon_route",
        "fastapi_bearer",
        "fastapi_session",
        "fastapi_userinfo",
        "flask_app",
        "flask_login_app",
        "litestar_route",
        "oauth2_proxy_headers",
        "plain_wsgi",
        "pyramid_app",
        "pyramid_ini",
        "quart_app",
        "starlette_app",
        "two_brands",
    }


distributions = functools.cache(packages_distributions)


@each_example
def test_script_metadata_names_what_the_example_imports(example):
    """The PEP 723 block parses, asks for the Python we support, and names every package imported."""
    source = EXAMPLES[example].read_text("utf-8")
    # The expression is PEP 723's own.
    (block,) = re.finditer(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$", source)
    metadata = tomllib.loads("".join(line[2:] for line in block["content"].splitlines(keepends=True)))
    declared = {canonicalize_name(Requirement(text).name) for text in metadata["dependencies"]}
    assert block["type"] == "script"
    assert metadata["requires-python"] == ">=3.11"
    assert "sso-middleware" in declared
    for module in imported_packages(source) - sys.stdlib_module_names:
        providers = {canonicalize_name(name) for name in distributions().get(module, [module])}
        assert providers & declared, f"{module} is imported, and not among the dependencies"


def imported_packages(source: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@pytest.mark.server
@each_session_example
def test_the_way_to_the_help_desk_leads_through_the_login(example, server, visitor):
    """Support link, login, back to the Auth URL by itself, and signed in to the Help Desk."""
    response = open_support(visitor)
    assert is_sent_to_login(response)
    response = sign_in(visitor, "jane", at=response.headers["location"])
    assert response.status_code == 303
    response = visitor.get(urljoin(server.base_url, response.headers["location"]))
    assert response.status_code == 303
    assert verified(response.headers["location"], server)["email"] == "jane@example.com"


@pytest.mark.server
@each_session_example
def test_each_hand_off_is_a_new_one(example, server, visitor):
    """A signed-in visitor is handed off with a `jti` of its own each time."""
    sign_in(visitor, "jane")
    urls = [open_support(visitor).headers["location"] for _ in range(3)]
    assert len({verified(url, server)["jti"] for url in urls}) == 3


@pytest.mark.server
@each_session_example
def test_a_page_that_is_loaded_ahead_is_no_hand_off(example, visitor):
    """A browser that prefetches or prerenders the Support link uses up no token."""
    sign_in(visitor, "jane")
    for purpose in ("prefetch", "prefetch;prerender"):
        response = visitor.get("/sso/helpdesk", headers={"Sec-Purpose": purpose})
        assert (response.status_code, response.headers.get("location")) == (403, None)
    assert visitor.head("/sso/helpdesk").headers.get("location") is None


@pytest.mark.server
@on("django_asgi", "django_wsgi")
def test_a_foreign_form_signs_nobody_in(example, visitor):
    """A login forced upon a visitor would hand them off as somebody else."""
    form = Page(visitor.get("/login"))
    assert form.hidden[CSRF_FIELD]
    for token in ("", "x" * 64):
        fields = {**form.hidden, CSRF_FIELD: token, "name": "jane", "password": PASSWORD}
        assert visitor.post(form.action, data=fields).status_code == 403
    assert is_sent_to_login(open_support(visitor))


@pytest.mark.server
@each_session_example
def test_a_hand_off_is_kept_nowhere(example, visitor):
    """No cache keeps the redirect, and the address it came from is told to nobody."""
    sign_in(visitor, "jane")
    headers = open_support(visitor).headers
    assert "no-store" in headers["cache-control"]
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.server
@on("flask_login_app")
def test_remember_me_is_enough_until_the_logout(example, visitor):
    """With "Remember me" the end of the browser's session is not the end; the Logout URL is."""
    sign_in(visitor, "jane", remember="on")
    visitor.cookies.delete("session")
    assert open_support(visitor).headers["location"].startswith(SSO_AUTH_URL)
    visitor.get("/sso/logout")
    assert is_sent_to_login(open_support(visitor))


@pytest.mark.server
@each_session_example
@pytest.mark.parametrize(
    ("name", "password"), [("jane", "wrong"), ("jane", ""), ("jane", "wröng"), ("nobody", PASSWORD)]
)
def test_wrong_credentials_sign_nobody_in(example, visitor, name, password):
    """The form comes back with 403, still knows the way back, and Support leads to the login."""
    response = sign_in(visitor, name, password, at="/login?next=/sso/helpdesk")
    assert response.status_code == 403
    assert hidden_fields(response) == {"next": "/sso/helpdesk"}
    assert is_sent_to_login(open_support(visitor))


@pytest.mark.server
@each_session_example
def test_an_unverified_address_is_not_handed_off(example, visitor):
    """Joe is signed in, and gets a 403 page with the reason code."""
    sign_in(visitor, "joe")
    response = open_support(visitor)
    assert response.status_code == 403
    assert "email_not_verified" in response.text


@pytest.mark.server
@each_session_example
@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "evil",
    ],
)
def test_the_login_leads_nowhere_but_to_a_path_of_the_site(example, server, visitor, target):
    """A `next` that a browser would take for another site, or that is no path, is dropped."""
    response = sign_in(visitor, "jane", next=target)
    assert response.status_code == 303
    # As a browser does, urljoin takes tabs out; unlike one, it leaves a backslash as it is.
    assert urljoin(server.base_url, response.headers["location"]) in (server.base_url, f"{server.base_url}/")


@pytest.mark.server
@each_session_example
def test_next_cannot_break_out_of_the_form(example, visitor):
    """Whatever `next` is, it stays the value of a hidden field."""
    response = visitor.get("/login", params={"next": '"><script>alert(1)</script>'})
    assert hidden_fields(response) == {"next": '"><script>alert(1)</script>'}


@pytest.mark.server
@each_session_example
def test_the_logout_url_ends_the_session(example, server, visitor):
    """The Sign-out link is the Logout URL; after it, Support leads to the login again."""
    sign_in(visitor, "jane")
    assert "jane" in visitor.get("/").text
    link = Page(visitor.get("/")).links["Sign out"]
    assert link == f"{server.base_url}/sso/logout"
    response = visitor.get(link)
    assert (response.status_code, response.headers["location"]) == (303, "/")
    assert "jane" not in visitor.get("/").text
    assert is_sent_to_login(open_support(visitor))


@pytest.mark.server
@on(*ON_SERVER)
def test_a_session_on_the_server_ends_there(example, visitor):
    """A copy of the cookie is worth nothing after the logout."""
    sign_in(visitor, "jane")
    copy = visitor.cookies["session"]
    visitor.get("/sso/logout")
    visitor.cookies.set("session", copy)
    assert is_sent_to_login(open_support(visitor))


@pytest.mark.server
@each_session_example
def test_the_session_cookie_is_forged_in_vain(example, visitor):
    """A session cookie that another secret has signed, or none, is an anonymous visitor's."""
    sign_in(visitor, "jane")
    genuine = visitor.cookies["session"]
    tampered = genuine[:9] + ("A" if genuine[9] != "A" else "B") + genuine[10:]
    for value in (tampered, "jane", ""):
        visitor.cookies.clear()
        visitor.cookies.set("session", value)
        assert is_sent_to_login(open_support(visitor))


@pytest.mark.server
@each_session_example
def test_the_session_cookie_is_out_of_reach_for_scripts_and_other_sites(example, visitor):
    """HttpOnly, SameSite=Lax, for the whole site; not Secure where the Auth URL is http."""
    attributes = cookie_attributes(sign_in(visitor, "jane"))
    assert attributes >= {"httponly", "samesite=lax", "path=/"}
    assert "secure" not in attributes


@pytest.mark.server
@pytest.mark.parametrize("example", WITH_SESSION)
def test_the_session_cookie_is_secure_where_the_auth_url_is_https(example, tmp_path):
    """Over https only, as soon as the application is reached by https."""

    def with_https(port):
        return settings(port, "https://app.example.com")

    with (
        serve(example, with_https, tmp_path / "output.txt", forked=True) as server,
        local_client(server.base_url) as visitor,
    ):
        assert "secure" in cookie_attributes(sign_in(visitor, "jane"))


def cookie_attributes(response: httpx.Response) -> set[str]:
    (cookie,) = [value for value in response.headers.get_list("set-cookie") if value.startswith("session=")]
    return {attribute.strip().lower() for attribute in cookie.split(";")[1:]}


def get_token(visitor: httpx.Client, name: str) -> dict[str, str]:
    answer = visitor.post("/token", data={"username": name, "password": PASSWORD}).json()
    assert answer["token_type"] == "bearer"
    return {"Authorization": f"Bearer {answer['access_token']}"}


@pytest.mark.server
@on(BEARER)
def test_a_bearer_token_gets_a_new_hand_off_each_time(example, server, visitor):
    """POST /support answers with the URL the script is to go to, and no cache may keep it."""
    headers = get_token(visitor, "jane")
    responses = [visitor.post("/support", headers=headers) for _ in range(3)]
    claims = [verified(response.json()["url"], server) for response in responses]
    assert {claim["email"] for claim in claims} == {"jane@example.com"}
    assert len({claim["jti"] for claim in claims}) == 3
    assert {response.headers["cache-control"] for response in responses} == {"no-store"}


@pytest.mark.server
@on(BEARER)
@pytest.mark.parametrize("name", ["jane", "nobody"])
def test_wrong_credentials_get_no_token(example, visitor, name):
    """A wrong password, or an unknown name, is a 401."""
    response = visitor.post(
        "/token", data={"username": name, "password": "wröng" if name == "jane" else PASSWORD}
    )
    assert response.status_code == 401
    assert "access_token" not in response.json()


@pytest.mark.server
@on(BEARER)
@pytest.mark.parametrize(
    ("claims", "key"),
    [
        (None, ""),
        ({"sub": "jane", "exp": 1}, SESSION_SECRET),
        ({"sub": "jane"}, SESSION_SECRET),
        ({"sub": "nobody", "exp": 2**40}, SESSION_SECRET),
        ({"sub": "jane", "exp": 2**40}, SSO_TOKEN),
    ],
    ids=["none", "expired", "for ever", "unknown", "another key"],
)
def test_without_a_good_bearer_token_there_is_no_hand_off(example, visitor, claims, key):
    """No token, or one that this application would not have given now, is a 401."""
    headers = {}
    if claims:
        token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(key))
        headers = {"Authorization": f"Bearer {token}"}
    response = visitor.post("/support", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert "url" not in response.json()


@pytest.mark.server
@on(BEARER)
def test_a_bearer_token_with_an_unverified_address_is_refused(example, visitor):
    """Joe gets a 403 with the reason code."""
    response = visitor.post("/support", headers=get_token(visitor, "joe"))
    assert (response.status_code, response.json()) == (403, {"detail": "email_not_verified"})


@pytest.mark.server
@on(BEARER)
def test_the_single_page_app_answers_at_the_urls_in_the_vendors_panel(example, server, visitor):
    """Start page, Auth URL and Logout URL are the same page, and its script knows what to do at each."""
    page = visitor.get("/").text
    assert f'href="{server.base_url}/sso/helpdesk"' in page
    assert f'href="{server.base_url}/sso/logout"' in page
    assert 'fetch("/support"' in page
    assert "location.replace(answer.url)" in page
    for path in ("/sso/helpdesk", "/sso/logout"):
        response = visitor.get(path)
        assert (response.status_code, response.text) == (200, page)


@pytest.mark.server
@on("two_brands")
@pytest.mark.parametrize("host", ["acme.example", "globex.example", "127.0.0.1"])
def test_the_user_says_which_account(example, server, visitor, host):
    """Jane and Hank go to the account of their own brand, whatever the Host header says."""
    sign_in(visitor, "jane")
    headers = {"Host": host, "X-Forwarded-Host": host}
    url = visitor.get("/sso/helpdesk", headers=headers).headers["location"]
    assert verified(url, server)["email"] == "jane@example.com"
    sign_in(visitor, "hank")
    url = visitor.get("/sso/helpdesk", headers=headers).headers["location"]
    endpoint, _, query = url.partition("?")
    parameters = dict(parse_qsl(query))
    assert (endpoint, parameters["account_id"]) == ("https://globex.example/sso", "4712")
    key = OctKey.import_key(GLOBEX_SSO_TOKEN)
    token = jwt.decode(parameters["token"], key, algorithms=["HS256"])
    assert token.claims["email"] == "hank@globex.example"


@pytest.mark.server
@on(*sorted({*WITH_SESSION, BEARER}))
def test_no_secret_reaches_the_output(example, server, visitor):
    """Access log, application log and whatever else is printed hold no token, key or password."""
    if example == BEARER:
        headers = get_token(visitor, "jane")
        url = visitor.post("/support", headers=headers).json()["url"]
        trace = "POST /support"
    else:
        sign_in(visitor, "jane")
        url = open_support(visitor).headers["location"]
        trace = "handed_off"
    visitor.get("/")  # once that is answered, all is written about what came before
    output = server.output
    assert trace in output
    token = dict(parse_qsl(url.partition("?")[2]))["token"]
    any_token = token.partition(".")[0]  # the header, which all of them have in common
    for secret in (any_token, SSO_TOKEN, SESSION_SECRET, PASSWORD, "jane@example.com"):
        assert secret not in output
    assert "Traceback" not in output


def variables_needed(example: str) -> list[str]:
    own = ["DEMO_PASSWORD"] if example in SECRETLESS else ["DEMO_PASSWORD", "SESSION_SECRET"]
    return BEHIND_A_PROXY.get(example, own)


@pytest.mark.server
@each_example
def test_what_is_missing_is_named(example, tmp_path):
    """Without its HELPDESK_ variables, or with a secret of its own unset or empty, it names them and ends."""
    whole = settings(0)
    own = variables_needed(example)
    without_account = {name: value for name, value in whole.items() if not name.startswith("HELPDESK_")}
    without_one = [{other: whole[other] for other in whole if other != name} for name in own]
    with_an_empty_one = [whole | {name: ""} for name in own]
    done, *others = [
        forks.run(
            EXAMPLES[example],
            env=clean_environment(variables),
            cwd=tmp_path,
            imports=forks.imported_by(EXAMPLES[example]),
        )
        for variables in (without_account, *without_one, *with_an_empty_one)
    ]
    assert done.returncode == 1
    for name in ("HELPDESK_SSO_TOKEN", "HELPDESK_SSO_AUTH_URL", "HELPDESK_ACCOUNT_ID", "HELPDESK_AUTH_URL"):
        assert f"{name}: is not set" in done.stderr
    endings = [(done.returncode, done.stderr) for done in others]
    assert endings == [(1, f"{name} is not set\n") for name in own * 2]
