"""Reading the body of a POST: small, of the right kind, and from our own pages."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

_LONGEST_BODY = 65_536  # bytes; a form's longest text, percent-encoded, with room to spare
_MOST_FIELDS = 20


def check_origin(request: Request) -> None:
    """Refuse a request that a page of another site made the browser send (403).

    Fetch Metadata where the browser sends it, ``Origin`` where it does not; neither is a program's
    request, such as a test's.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None:
        foreign = origin is not None and origin != f"{request.url.scheme}://{request.url.netloc}"
    else:
        foreign = site not in ("same-origin", "none")
    if foreign:
        raise HTTPException(403, "This request came from a page of another site.")


async def read_form(request: Request, csrf: str) -> dict[str, str]:
    """Return the fields of a form, stripped, if it carries the session's secret.

    Raises:
        HTTPException: 403, 413, 415 or 400.
    """
    check_origin(request)
    body = await _read(request, "application/x-www-form-urlencoded")
    try:
        fields = dict(parse_qsl(body.decode(), max_num_fields=_MOST_FIELDS, errors="strict"))
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None
    if not secrets.compare_digest(fields.get("csrf", "").encode(), csrf.encode()):
        raise HTTPException(403, "This form is out of date. Go back, load the page again and send it anew.")
    return {name: value.strip() for name, value in fields.items()}


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body.

    Raises:
        HTTPException: 403, 413, 415 or 400.
    """
    check_origin(request)
    body = await _read(request, "application/json")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HTTPException(400, "The body has to be a JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType] - what JSON holds is looked at by the caller


async def _read(request: Request, media_type: str) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise HTTPException(415, f"The body has to be {media_type}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise HTTPException(413, "That is too long.")
    return bytes(body)
