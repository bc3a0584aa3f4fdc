from sso_middleware import HelpDesk

INSTALLED_APPS += ["sso_middleware.django"]
MIDDLEWARE += ["sso_middleware.django.SSOMiddleware"]  # below every line that decides who the user is
LOGIN_URL = "account_login"  # of allauth, which follows `next`
HELPDESK_SSO = {
    "helpdesk": HelpDesk.from_env(),
    "verified": "sso_middleware.resolvers.django.allauth_verified",
    "logout": True,
}
