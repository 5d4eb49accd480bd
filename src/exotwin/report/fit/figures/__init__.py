"""Figures of a fit, one a file: each takes facts of the fit and gives drawings."""
