"""Finding SSOMiddleware in an application, and judging its wiring."""
