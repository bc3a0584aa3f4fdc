"""Flask-AppBuilder with its database login; it keeps who it is with Flask-Login."""

from pathlib import Path

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_appbuilder.utils.legacy import get_sqla_class
from flask_wtf import CSRFProtect

app = Flask(__name__)
app.config.update(
    SECRET_KEY="a secret of the session",
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{Path.cwd()}/data.db",
)
CSRFProtect(app)
db = get_sqla_class()(app)
with app.app_context():
    appbuilder = AppBuilder(app, db.session)

if __name__ == "__main__":
    with app.app_context():
        security = appbuilder.sm
        role = security.find_role("Admin")
        security.add_user("jane", "Jane", "Doe", "jane@example.com", role, password="secret")
