from sso_middleware import HelpDesk

INSTALLED_APPS += ["sso_middleware.django"]
MIDDLEWARE += ["sso_middleware.django.SSOMiddleware"]  # below every middleware that sets the user
LOGIN_URL = "account_login"  # allauth's login, which follows `next`
HELPDESK_SSO = {
    "helpdesk": HelpDesk.from_env(),
    "verified": "sso_middleware.resolvers.django.allauth_verified",
    "logout": True,
}
