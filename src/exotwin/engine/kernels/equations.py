"""What the front end hands to the writers of code: a hybrid system of differential and algebraic equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exotwin.engine.kernels.graph import Graph

Place = tuple[str, int]
"""Where a number stands: "parameter", "state" or "output", and the index there."""


@dataclass(frozen=True)
class Event:
    """What happens when a condition becomes true (SBML Level 3, events). All numbers are nodes of the graph.

    trigger : truth, 1 or 0. initially : the value that it is taken to have had before the start.
    persistent : whether the event, once triggered, happens even if the trigger has become false again meanwhile.
    delay : time from the trigger to the assignments, None for none. priority : among events at one time, None for none.
    values_of_trigger : whether the assigned values are those of the moment of the trigger, not of the execution.
    assignments : (state, value, scale): the state becomes value · scale. The scale is always that of the execution; it
        is the size of the compartment where a concentration is assigned and the state is an amount, else None.
    """

    name: str
    trigger: int
    initially: bool
    persistent: bool
    delay: int | None
    priority: int | None
    values_of_trigger: bool
    assignments: tuple[tuple[int, int, int | None], ...]


@dataclass(frozen=True)
class Equations:
    """What kernels are written from: nodes of one graph.

    n_states : all states; the first ``len(rates)`` of them move, the others change at doses and events alone.
    rates : (moving,), change per unit of time; of an algebraic state instead the residual that has to be zero. In the
        order in which the linear systems are eliminated.
    algebraic : indices of the moving states that follow from residuals.
    jacobian : (row, column) -> ∂rate/∂state, structural nonzeros among moving states.
    time_derivative : (moving,), ∂rate/∂t, zero where time does not show.
    setup : what is computed at the start, in order: ("param", j, node) replaces parameter j where none was given,
        ("state", i, node) is the initial value of state i. Nodes of states stand for initial values there.
    outputs : nodes computed afterwards from stored states: observables and concentrations.
    """

    graph: Graph
    n_states: int
    n_parameters: int
    rates: tuple[int, ...]
    jacobian: Mapping[tuple[int, int], int]
    time_derivative: tuple[int, ...]
    setup: tuple[tuple[str, int, int], ...]
    outputs: tuple[int, ...]
    algebraic: frozenset[int] = frozenset()
    events: tuple[Event, ...] = ()

    @property
    def moving(self) -> int:
        """Number of states that move by an equation."""
        return len(self.rates)

    @property
    def driving(self) -> tuple[int, ...]:
        """All nodes that a step evaluates."""
        return (*self.rates, *self.jacobian.values(), *self.time_derivative)

    @property
    def happening(self) -> tuple[int, ...]:
        """All nodes that events evaluate."""
        found: list[int] = []
        for event in self.events:
            found.append(event.trigger)
            optional = [event.delay, event.priority, *(scale for *_, scale in event.assignments)]
            found += [*(value for _, value, _ in event.assignments), *(n for n in optional if n is not None)]
        return tuple(found)

    def rows(self) -> tuple[list[int], int]:
        """Nodes computed once for each patient, and how many of them, from the front, a step or an event uses."""
        step = self.graph.steady_part((*self.driving, *self.happening))
        known = set(step)
        return [*step, *(n for n in self.graph.steady_part(self.outputs) if n not in known)], len(step)


@dataclass(frozen=True, kw_only=True)
class SensitivityEquations(Equations):
    """Equations of n moving states, and of their derivatives with respect to numbers p = 0, 1, ….

    States stand in this order: the n moving ones; for each p their derivatives; those that do not move; derivatives of
    these. What `Equations` says of rates holds for the first n alone.

    curvature : (i, j, k) -> ∂J_ij/∂y_k, and for k = n ∂J_ij/∂t. forcing : (i, p) -> F_ip.
    forcing_slope : (i, p, k) -> ∂F_ip/∂y_k, and for k = n ∂F_ip/∂t.
    inverse_size : p -> 1/|p|, zero where p is zero, of parameters.
    starts : p -> (state, its derivative), of initial values of states.
    """

    directions: int
    curvature: Mapping[tuple[int, int, int], int]
    forcing: Mapping[tuple[int, int], int]
    forcing_slope: Mapping[tuple[int, int, int], int]
    inverse_size: Mapping[int, int]
    starts: Mapping[int, tuple[int, int]]

    @property
    def moving(self) -> int:
        """Number of states that move by an equation, derivatives included."""
        return len(self.rates) * (1 + self.directions)

    @property
    def driving(self) -> tuple[int, ...]:
        """All nodes that a step evaluates."""
        added = (self.curvature, self.forcing, self.forcing_slope, self.inverse_size)
        return (*super().driving, *(node for part in added for node in part.values()))
