"""A Django project as `startproject` makes it, with the lines that `sso-middleware init` prints.

What those leave to its developer is chosen.
"""

import forks
from cli_apps import entry_point
from cli_apps.entry_point import environment

# What its developer has written, beside what `startproject` wrote.
BEFORE = """
ALLOWED_HOSTS = ["app.example.com", "127.0.0.1"]
"""
CHOSEN = "mysite.addresses.is_verified"
URLS = """
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import path


def login_view(request):
    if "name" in request.GET:
        name = request.GET["name"]
        login(request, User.objects.get_or_create(username=name, email=f"{name}@example.com")[0])
    return HttpResponse("hello")


urlpatterns = [path("", lambda request: HttpResponse("hello")), path("accounts/login/", login_view)]
"""
# Settings with a mistake each, by the name of their module.
MISTAKES = {
    "wrong_order": "MIDDLEWARE = [MIDDLEWARE[-1], *MIDDLEWARE[:-1]]",
    "no_authentication": "MIDDLEWARE.remove('django.contrib.auth.middleware.AuthenticationMiddleware')",
    "not_in_use": "MIDDLEWARE = MIDDLEWARE[:-1]",
    "silenced": "MIDDLEWARE = MIDDLEWARE[:-1]\nSILENCED_SYSTEM_CHECKS = ['sso_middleware.W002']",
    "not_chosen": "HELPDESK_SSO['verified'] = None",
    "promised": "HELPDESK_SSO['verified'] = True",
    "raising": "def resolve_email(request):\n    raise KeyError('email')\n"
    "del HELPDESK_SSO['verified']\nHELPDESK_SSO['resolve_email'] = resolve_email",
    # Its log, which would have a traceback, goes nowhere; and with it ours is disabled.
    "other_hosts": "ALLOWED_HOSTS = ['www.example.com']\n"
    "LOGGING = {'version': 1, 'handlers': {'null': {'class': 'logging.NullHandler'}},\n"
    "    'loggers': {'django': {'handlers': ['null']}}}",
    "short_token": "HELPDESK_SSO = {'sso_token': 'short', 'sso_auth_url': 'https://acme.example/sso',\n"
    "    'account_id': 1, 'auth_url': 'https://app.example.com/sso/helpdesk', 'verified': 'is_active'}",
    "other_class": "MIDDLEWARE = [*MIDDLEWARE[:-1], 'sso_middleware.wsgi.SSOMiddleware']",
    "broken_import": "HELPDESK_SSO['on_event'] = 'mysite.broken.note'",
    "function_outside": "MIDDLEWARE = [*MIDDLEWARE[:-1], 'mysite.hiding.middleware', MIDDLEWARE[-1]]",
}
# Other things to hand to a server.
WRAPPED = {
    "addresses": "def is_verified(user):\n    return user.email.endswith('@example.com')",
    "broken": "raise RuntimeError('broken')",
    "hiding": """
def middleware(get_response):
    return lambda request: get_response(request)
""",
    "channels": """
from mysite.asgi import application as django

class ProtocolTypeRouter:
    def __init__(self, application_mapping):
        self.application_mapping = application_mapping

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan here")
        await self.application_mapping[scope["type"]](scope, receive, send)

application = ProtocolTypeRouter({"http": django})
without_http = ProtocolTypeRouter({"websocket": django})
""",
    "outside": """
from mysite.wsgi import application as django
from sso_middleware import HelpDesk
from sso_middleware.resolvers.django import user_email
from sso_middleware.wsgi import SSOMiddleware

application = SSOMiddleware(
    django, HelpDesk.from_env(), user_email(verified=True), login_url="/accounts/login/"
)
""",
}


def make_project(directory):
    """Make the project ``mysite`` in `directory`, ready to be served."""
    snippet = entry_point.run("init", "django", settings={}).stdout
    python(directory, "-m", "django", "startproject", "mysite", ".")
    package = directory / "mysite"
    settings = package / "settings.py"
    assert snippet.count('"verified": None') == 1
    snippet = snippet.replace('"verified": None', f'"verified": "{CHOSEN}"')
    settings.write_text(settings.read_text() + BEFORE + snippet)
    (package / "urls.py").write_text(URLS)
    for name, lines in MISTAKES.items():
        (package / f"{name}.py").write_text(f"from mysite.settings import *\n{lines}\n")
    for name, lines in WRAPPED.items():
        (package / f"{name}.py").write_text(lines)
    done = manage(directory, "migrate")
    assert done.returncode == 0, done.stderr
    return directory


def run(project, *args, **more):
    """Run `sso-middleware` in the project; Django has its settings once and for all, so in a process."""
    imports = [*entry_point.IMPORTS, *forks.DJANGO]
    return entry_point.run_process(*args, cwd=project, imports=imports, **more)


def manage(project, *args, **more):
    """Run the project's ``manage.py``."""
    return python(project, "manage.py", *args, **more)


def python(directory, *args, **more):
    """Run Python in the directory of a project."""
    return forks.run(*args, cwd=directory, env=environment(**more), imports=forks.DJANGO)
