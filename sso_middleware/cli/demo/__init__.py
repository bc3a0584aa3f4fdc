"""`sso-middleware demo`: the sandbox beside a sample application."""
