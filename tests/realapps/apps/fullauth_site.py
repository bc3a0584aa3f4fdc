"""A Pyramid application with pyramid_fullauth: its users, its login page, its security policy."""

import pyramid_basemodel
import transaction
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid_fullauth.events import AfterLogIn
from pyramid_fullauth.models import User


def go_to_start(event):
    raise HTTPSeeOther(event.request.route_path("start"))


with Configurator(
    settings={"sqlalchemy.url": "sqlite:///data.db", "basemodel.should_create_all": True}
) as config:
    config.include("pyramid_tm")
    config.include("pyramid_fullauth")
    config.include("pyramid_basemodel")
    config.add_subscriber(go_to_start, AfterLogIn)
    config.add_route("start", "/")
    config.add_view(lambda request: Response("Hello"), route_name="start")
    router = config.make_wsgi_app()

if __name__ == "__main__":
    with transaction.manager:
        user = User(email="jane@example.com", password="secret", address_ip="127.0.0.1")
        pyramid_basemodel.Session.add(user)
        pyramid_basemodel.Session.flush()
        user.is_active = True
