"""What a user meets first: a light import, and a door that offers what it promises."""

import subprocess
import sys

import pytest

import exotwin as ex

HEAVY = ("antimony", "casadi", "libsbml", "llvmlite", "matplotlib", "numpy", "pandas", "pint", "pydantic", "xarray")


def test_the_import_loads_no_heavy_library():
    code = f"import sys, exotwin; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ex.__all__)
def test_every_promised_name_is_there(name):
    assert getattr(ex, name).__name__ == name
    assert name in dir(ex)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Produkt'"):
        ex.Produkt  # noqa: B018


def test_nothing_asks_the_network():
    """Product, model and claims with every connection refused; the trial as a whole is run so in its own tests."""
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('a connection was asked for')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from importlib.resources import files\n"
        "import exotwin as ex\n"
        "ex.Product.from_toml(files('exotwin') / 'examples' / 'umbilical' / 'product.toml')\n"
        "ex.load(ex.assemble('poi', 'human').sbml)\n"
        "print(len(ex.claims()))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "29", run.stderr
