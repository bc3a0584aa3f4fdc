"""The settings of a Django project with Wagtail, as Wagtail's documentation has them."""

import os

SECRET_KEY = "a secret of the session, 32 bytes long"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "wagtail_urls"
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
USE_TZ = True
WAGTAIL_SITE_NAME = "Example"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1"
LOGIN_URL = LOGOUT_REDIRECT_URL = "wagtailadmin_login"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "data.db"}}
INSTALLED_APPS = [
    *("wagtail.contrib.forms", "wagtail.contrib.redirects", "wagtail.embeds", "wagtail.sites"),
    *("wagtail.users", "wagtail.snippets", "wagtail.documents", "wagtail.images", "wagtail.search"),
    *("wagtail.admin", "wagtail", "modelcluster", "taggit", "django_filters"),
    *("django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"),
    *("django.contrib.messages", "django.contrib.staticfiles"),
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Tables are made at once, as the hundreds of migrations of Wagtail take a while.
MIGRATION_MODULES = {app.rpartition(".")[2]: None for app in INSTALLED_APPS} | {
    f"wagtail{name}": None
    for name in (
        *("forms", "redirects", "embeds", "users", "snippets", "documents", "docs", "images", "search"),
        *("admin", "core", "searchpromotions", "sites"),
    )
}

if __name__ == "__main__":
    import django
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "wagtail_site"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from django.contrib.auth import get_user_model

    get_user_model().objects.create_superuser("jane", "jane@example.com", "secret")
