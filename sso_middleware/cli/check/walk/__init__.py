"""Visiting an application in process, as users do."""
