"""`sso-middleware demo`: the sandbox and a sample application."""
