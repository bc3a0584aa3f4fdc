"""Canaille, with its database in memory; its login knows its way back by its own pages alone."""

from canaille import create_app
from canaille.app import models

app = create_app(
    {
        "SECRET_KEY": "a secret of the session",
        "PREFERRED_URL_SCHEME": "http",
        "CANAILLE": {"DATABASE": "memory", "SMTP": None},
    }
)
with app.app_context(), app.backend.session():
    jane = models.User(
        user_name="jane",
        formatted_name="Jane",
        family_name="Doe",
        emails=["jane@example.com"],
        password="secret",
    )
    app.backend.save(jane)
