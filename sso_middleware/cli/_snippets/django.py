INSTALLED_APPS += ["sso_middleware.django"]
# After what decides who the user is; before a middleware of yours that looks up request.path in the URLconf.
MIDDLEWARE += ["sso_middleware.django.SSOMiddleware"]
HELPDESK_SSO = {
    # Choose how your site knows that an address was verified, because Django itself verifies none:
    # - "sso_middleware.resolvers.django.allauth_verified", with django-allauth;
    # - the name of an attribute of your user model, such as "email_verified";
    # - the dotted path of your own function, which takes the user and returns True or False.
    # Until you do, the server does not start.
    "verified": None,
    "logout": True,
}
