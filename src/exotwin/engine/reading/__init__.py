"""An SBML document → equations: checked, flattened, given one meaning, differentiated."""

from exotwin.engine.reading.parse import parse, source
from exotwin.engine.reading.sensitivity import with_sensitivities
from exotwin.engine.reading.system import System, build

__all__ = ["System", "build", "parse", "source", "with_sensitivities"]
