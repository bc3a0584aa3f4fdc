"""Piccolo Admin in a FastAPI application, behind the login page of Piccolo API."""

import os

from piccolo.apps.user.tables import BaseUser
from piccolo.engine.sqlite import SQLiteEngine
from piccolo_api.session_auth.tables import SessionsBase

DB = SQLiteEngine(path="data.db")
for table in (BaseUser, SessionsBase):
    table._meta._db = DB

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from piccolo_admin.endpoints import create_admin
from piccolo_api.session_auth.endpoints import session_login

app = FastAPI()
app.mount("/login/", session_login(redirect_to=f"{os.environ['REALAPPS_PREFIX']}/"))
app.mount("/admin/", create_admin([BaseUser]))


@app.get("/", response_class=HTMLResponse)
async def start():
    return '<a href="admin/">Admin</a>'


if __name__ == "__main__":
    for table in (BaseUser, SessionsBase):
        table.create_table().run_sync()
    BaseUser.create_user_sync(
        "jane", "a secret", email="jane@example.com", active=True, admin=True, superuser=True
    )
