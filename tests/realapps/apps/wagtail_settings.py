from wagtail_site import *  # noqa: F403
from wagtail_site import INSTALLED_APPS, MIDDLEWARE

# <recipe>
from sso_middleware import HelpDesk

MIDDLEWARE = [*MIDDLEWARE, "sso_middleware.django.SSOMiddleware"]
INSTALLED_APPS = [*INSTALLED_APPS, "sso_middleware.django"]
HELPDESK_SSO = {"helpdesk": HelpDesk.from_env(), "verified": True, "logout": True}
SILENCED_SYSTEM_CHECKS = ["sso_middleware.W006"]  # only editors enter addresses
# </recipe>
