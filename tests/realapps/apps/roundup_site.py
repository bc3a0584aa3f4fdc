"""Roundup's tracker for WSGI; its login form has a field of its own for the way back."""

import os
import sys
from contextlib import closing
from pathlib import Path

from roundup import configuration, init, instance, password
from roundup.cgi.wsgi_handler import RequestDispatcher

HOME = "tracker"
COOKIE = "roundup_session_Roundupissuetracker"


def opened():
    return closing(instance.open(HOME).open("admin"))


def set_up():
    init.install(HOME, str(Path(sys.prefix, "share", "roundup", "templates", "minimal")))
    config = configuration.CoreConfig()
    config["TRACKER_HOME"] = HOME
    config["DATABASE"] = "db"
    config["RDBMS_BACKEND"] = "sqlite"
    config["MAIL_DOMAIN"] = "example.com"
    config["TRACKER_WEB"] = "http://127.0.0.1/"
    config.save(f"{HOME}/{config.INI_FILE}")
    secret = password.Password("secret", config=config)
    instance.open(HOME).init(secret)
    with opened() as db:
        db.user.create(username="jane", address="jane@example.com", password=secret, roles="User")
        db.commit()


if __name__ == "__main__":
    set_up()
else:
    config = configuration.CoreConfig(HOME)
    config["TRACKER_WEB"] = os.environ["HELPDESK_AUTH_URL"].partition("sso/")[0]
    config.save()
    app = RequestDispatcher(HOME)
