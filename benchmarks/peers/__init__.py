"""Every simulator that is measured, by the name it has on the command line."""

from __future__ import annotations

from collections.abc import Callable

from peers.amici import Amici
from peers.copasi import Copasi
from peers.diffrax_ import Diffrax
from peers.exotwin_ import Exotwin
from peers.peer import LeftOut, Peer, Runs
from peers.roadrunner import RoadRunner
from peers.scipy_ import SciPy

PEERS: dict[str, Callable[[], Peer]] = {
    "roadrunner": RoadRunner,
    "amici": Amici,
    "copasi": Copasi,
    "lsoda": lambda: SciPy("LSODA"),
    "bdf": lambda: SciPy("BDF"),
    "radau": lambda: SciPy("Radau"),
    "diffrax": Diffrax,
}

__all__ = ["PEERS", "Exotwin", "LeftOut", "Peer", "RoadRunner", "Runs"]
