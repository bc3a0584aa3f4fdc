"""Mount prefixes as servers and frameworks spell them: with a slash too many, or one too few."""

from __future__ import annotations

import pytest

from clients import UnprefixedASGISite, WSGISite, jane, make_desk, nobody

FORMS = [("/", ""), ("/app/", "/app"), ("app", "/app"), ("app/", "/app"), ("", ""), ("/a/b/", "/a/b")]
MOUNTED = pytest.mark.parametrize(("spelled", "prefix"), FORMS, ids=[repr(form[0]) for form in FORMS])
SITES = pytest.mark.parametrize("site", [WSGISite, UnprefixedASGISite], ids=lambda site: site.protocol)


@MOUNTED
@SITES
def test_public_path(site, spelled, prefix):
    """The Auth URL is answered below the prefix, however that is spelled."""
    desk = make_desk(auth_url=f"https://app.example.com{prefix}/sso")
    assert site(jane, desk).get("/sso", prefix=spelled).is_handoff


@MOUNTED
@SITES
def test_redirects(site, spelled, prefix):
    """The redirect to the login, its way back and the path of the loop cookie have the prefix once."""
    pages = site(nobody, options={"paths": "/sso", "login_url": "/login"})
    assert pages.get("/sso", prefix=spelled)["location"] == f"{prefix}/login?next={prefix}/sso"
    cookie = site(jane, options={"paths": "/sso"}).get("/sso", prefix=spelled)["set-cookie"]
    assert f"Path={prefix}/sso;" in cookie


@pytest.mark.parametrize(
    ("root_path", "path"),
    [("/", "/sso"), ("/app/", "/app/sso"), ("app", "/app/sso"), ("/app/", "/sso"), ("/app", "/app/sso")],
)
def test_asgi_path_with_the_prefix(root_path, path):
    """A prefix with a slash at its end is taken off the path as well."""
    prefix = f"/{root_path.strip('/')}".rstrip("/")
    pages = UnprefixedASGISite(jane, make_desk(auth_url=f"https://app.example.com{prefix}/sso"))
    assert pages.get(path, prefix=root_path).is_handoff


@pytest.mark.parametrize("options", [{}, {"paths": "/sso"}], ids=["auth_url", "paths"])
@pytest.mark.parametrize(
    ("root_path", "path"), [("/", "//sso"), ("/app/", "/app//sso"), ("app", "app/sso"), ("app/", "app//sso")]
)
def test_asgi_path_after_the_prefix(root_path, path, options):
    """uvicorn puts the prefix in front of the path as it is spelled, and Starlette's router takes it off."""
    prefix = f"/{root_path.strip('/')}".rstrip("/")
    desk = make_desk(auth_url=f"https://app.example.com{prefix}/sso")
    assert UnprefixedASGISite(jane, desk, options).get(path, prefix=root_path).is_handoff


@pytest.mark.parametrize(
    ("root_path", "path"),
    [
        ("/", "/"),
        ("/", "//"),
        ("/app/", "/app/"),
        ("/app/", "/app//"),
        ("/app", "/app/"),
        ("/app/", "/"),
        ("app", "app/"),
    ],
)
def test_asgi_path_of_a_slash(root_path, path):
    """The same where the Auth URL is the start page of the application."""
    prefix = f"/{root_path.strip('/')}".rstrip("/")
    desk = make_desk(auth_url=f"https://app.example.com{prefix}/")
    assert UnprefixedASGISite(jane, desk).get(path, prefix=root_path).is_handoff


@pytest.mark.parametrize(
    ("root_path", "path"),
    [("", "//sso"), ("/app", "/app//sso"), ("/app/", "/app///sso"), ("/app/", "//sso"), ("app", "xapp/sso")],
)
def test_asgi_path_with_more_slashes(root_path, path):
    """Not a slash more is taken off than the prefix has."""
    pages = UnprefixedASGISite(jane, options={"paths": "/sso"})
    assert pages.get(path, prefix=root_path).by_app
