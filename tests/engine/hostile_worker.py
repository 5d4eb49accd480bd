"""A process that reads documents and says how each ended: one that brings it down or keeps it busy is caught outside.

In: lines, each a path. Out: lines, "refused", "ran: OUTCOME" or "fault: TRACEBACK" (on one line).
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from exotwin.engine import load
from exotwin.errors import ExotwinError


def ending(path: str) -> str:
    """How loading and a short simulation of a document end."""
    try:
        model = load(Path(path), width=1)
        open_names = {name: 1.0 for name, quantity in model.parameters.items() if quantity.value != quantity.value}
        found = model.simulate([0.0, 0.5, 1.0], parameters=open_names, rtol=1e-3, max_steps=300, n_threads=1)
    except ExotwinError as error:
        return f"refused: {error.found}"
    except BaseException:
        return f"fault: {traceback.format_exc()!r}"
    return f"ran: {found['outcome'].values[0]}"


if __name__ == "__main__":
    for line in sys.stdin:
        print(ending(line.rstrip("\n")).replace("\n", " "), flush=True)
