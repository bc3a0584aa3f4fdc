"""`sso-middleware check`, with one module per source of findings."""
