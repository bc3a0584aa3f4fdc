"""Ready-made resolvers, one module for each ecosystem, and what combines resolvers."""
