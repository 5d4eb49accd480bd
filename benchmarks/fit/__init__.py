"""Fits of published problems: exotwin against pypesto with AMICI."""
