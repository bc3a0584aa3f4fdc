"""Templates, filters and stylesheet, also for the demo's sample application."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import jinja2
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

_UNBROKEN = re.compile(r"(?<![^\s(])(?:\([^\s()<>]{1,30}\)|[A-Za-z]+(?:-[A-Za-z]+)+)(?![\w/:@.-]*[\w/@])")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _difference(seconds: int) -> str:
    if not seconds:
        return "none: iat is this Help Desk's time to the second"
    unit = "second" if abs(seconds) == 1 else "seconds"
    return f"iat is {abs(seconds):,} {unit} {'ahead of' if seconds > 0 else 'behind'} this Help Desk's clock"


def _indented(value: object) -> str:
    return json.dumps(value, indent=2)  # ASCII, because claims may hold text that UTF-8 cannot encode


def _marked(text: str) -> Markup:
    """Highlight "(assumed)", and prevent line breaks inside parentheses and at hyphens."""
    html = str(escape(text)).replace("(assumed)", '<span class="assumed">assumed</span>')
    return Markup(_UNBROKEN.sub(r'<span class="whole">\g<0></span>', html))  # noqa: S704 - it is escaped


templates: jinja2.Environment = jinja2.Environment(
    loader=jinja2.PackageLoader("sso_middleware.sandbox"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
templates.filters |= {"time": _time, "difference": _difference, "indented": _indented, "marked": _marked}


async def stylesheet(_: Request) -> Response:
    """Return the stylesheet."""
    return Response(templates.get_template("style.css").render(), media_type="text/css")
