"""`python -m sso_middleware`: the `sso-middleware` command."""

from sso_middleware.cli import main

if __name__ == "__main__":
    main()
