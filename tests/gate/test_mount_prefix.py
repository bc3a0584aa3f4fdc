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
