"""The project's views at paths that end in a slash, under a prefix for the visitor's language, too."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.urls import path

from django_urls import own_page, start

urlpatterns = [
    path("", start),
    path("<path:path>/", own_page),
    *i18n_patterns(path("<path:path>/", own_page)),
]
