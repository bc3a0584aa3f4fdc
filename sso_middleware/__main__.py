"""`python -m sso_middleware`: the `sso-middleware` command."""

from sso_middleware.cli import main

main()
