INSTALLED_APPS += ["sso_middleware.django"]
# After every middleware that sets the user; before any of yours that looks up request.path in the URLconf.
MIDDLEWARE += ["sso_middleware.django.SSOMiddleware"]
HELPDESK_SSO = {
    # Django does not verify email addresses. Say how your site knows that one is verified:
    # - "sso_middleware.resolvers.django.allauth_verified", with django-allauth;
    # - the name of an attribute of your user model, such as "email_verified";
    # - the dotted path of your own function, which takes the user and returns True or False.
    # The server does not start until you do.
    "verified": None,
    "logout": True,
}
