"""exotwin."""
