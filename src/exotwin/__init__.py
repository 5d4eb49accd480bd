"""exotwin: the in-silico laboratory for MSC and MSC-exosome therapy against ageing.

    import exotwin as ex
    product = ex.Product.from_toml("product.toml")
    study = ex.Study.from_toml("study.toml")
    result = ex.run(study)
    result.endpoints, result.dataset, result.plot("amh"), result.report("report.html")

A research tool, not medical advice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exotwin.biology import assemble
    from exotwin.engine import load
    from exotwin.errors import ExotwinError
    from exotwin.evidence import claims, record
    from exotwin.product import Product
    from exotwin.result import Result, run
    from exotwin.trial import Study

__version__ = "0.1.0"
__all__ = ["ExotwinError", "Product", "Result", "Study", "assemble", "claims", "load", "record", "run"]

# Names are fetched from their room on first use (PEP 562), so that the import itself costs nothing.
_HOME = {
    "ExotwinError": "errors",
    "Product": "product",
    "Result": "result",
    "Study": "trial",
    "assemble": "biology",
    "claims": "evidence",
    "load": "engine",
    "record": "evidence",
    "run": "result",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'exotwin' has no attribute {name!r}")
    value = getattr(import_module(f"exotwin.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
