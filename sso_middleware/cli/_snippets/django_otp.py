from sso_middleware import HandoffRefused, HelpDesk


def resolve_email(request):
    if not request.user.is_authenticated:
        return None  # not signed in
    if not request.user.is_verified():  # django-otp: the second factor is missing
        raise HandoffRefused("second_factor")
    if not request.user.email_verified:  # your own field: Django does not verify addresses
        raise HandoffRefused("email_not_verified")
    return request.user.email


INSTALLED_APPS += ["sso_middleware.django"]
MIDDLEWARE += ["sso_middleware.django.SSOMiddleware"]  # below django_otp.middleware.OTPMiddleware
HELPDESK_SSO = {
    "helpdesk": HelpDesk.from_env(),
    "resolve_email": resolve_email,
    "logout": True,
}
