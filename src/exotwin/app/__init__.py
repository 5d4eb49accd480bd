"""The results of a run as a page in the browser (extra `app`)."""

from exotwin.app.viewer import page, serve

__all__ = ["page", "serve"]
