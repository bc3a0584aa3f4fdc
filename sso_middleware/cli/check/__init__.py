"""What `sso-middleware check` looks at, one module a source of findings."""
