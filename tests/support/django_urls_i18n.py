"""The project's views under a prefix for the visitor's language."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns

from django_urls import urlpatterns as without_language

urlpatterns = i18n_patterns(*without_language)
