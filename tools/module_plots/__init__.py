"""Figures of the modules' pages, one file a module; `tools/module_figures.py` draws them."""
