"""Options for a pytest that a test starts."""

_PLUGINS = ("anyio", "faker", "hypothesispytest", "pytest_cov", "randomly")
#: Without the plugins of other packages, whose imports take longer than the test.
WITHOUT_OTHERS = [word for plugin in _PLUGINS for word in ("-p", f"no:{plugin}")]
