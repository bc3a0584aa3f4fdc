"""NiceGUI with a login page of its own; who it is stays on the server, in NiceGUI's storage."""

from typing import Annotated

from fastapi import Form
from fastapi.responses import RedirectResponse
from nicegui import app, ui


@ui.page("/login")
def login(redirect_to: str = "/"):
    with ui.element("form").props('action="signin" method="post"'):
        ui.input("Username").props("name=username")
        ui.input("Password").props("name=password")
        ui.element("input").props(f'type="hidden" name="redirect_to" value="{redirect_to}"')
        ui.button("Log in").props("type=submit")


@app.post("/signin")
def sign_in(
    username: Annotated[str, Form()], password: Annotated[str, Form()], redirect_to: Annotated[str, Form()]
):
    if (username, password) != ("jane", "secret"):
        return RedirectResponse("login", 303)
    app.storage.user.update(user={"email": "jane@example.com"})
    return RedirectResponse(redirect_to, 303)


@ui.page("/")
def start():
    ui.label("Hello")
