"""Trainings of one shape side by side, as one program of JAX.

`SideBySide` keeps the variables of several members in arrays with one more axis, and runs the steps
of `JaxEpochs` over that axis (`jax.vmap`). Each member has weights, optimizer, rates, random
numbers and an order of examples of its own, and gets the numbers of a training alone, but for
rounding. The data are on the device once.

    group = SideBySide(JaxEpochs(hp, signature, path), train, validation, members=len(seeds))
    for member, seed in enumerate(seeds):
        group.program.reset(hp, seed, steps)
        group.enter(member)
    measured = group.train(train, orders, on_step, done=0, seconds=0.0)
"""

import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Examples
from harness.training import jax_cache
from harness.training.compiled_epochs import EVALUATE, TRAIN, in_blocks
from harness.training.epochs import Measured
from harness.training.jax_epochs import JaxEpochs, Values

# Steps done in this epoch, running loss of each member, seconds of each in this epoch.
OnStepOfAll = Callable[[int, Mapping[int, float], float], None]


class SideBySide:
    """Members that are trained at once; each has a number.

    `program` is the program of one training, not compiled: there a member is made ready (`enter`)
    or looked at (`load`). A member that has left is no longer trained. The arrays have a place for
    each of the `members`; half as many as soon as that is enough, and so on: few programs are
    compiled. With `fixed` the places stay, each for the member of its number, and an empty one is
    filled up. The numbers of a member are then the same, whoever is there beside it.
    """

    def __init__(
        self,
        program: JaxEpochs,
        train: Examples,
        validation: Examples,
        *,
        members: int,
        fixed: bool = False,
    ) -> None:
        self.program = program
        self.compile_s = 0.0  # of all programs; what it took once, where they were found compiled
        self._splits = {TRAIN: train, EVALUATE: validation}
        self._most, self._fixed = members, fixed
        self._members: list[int] = []  # that have not left, in order
        self._entered: dict[int, list[NDArray[Any]]] = {}  # values of those not in the arrays yet
        self._places: list[int] = []  # the member at each place; the last one fills up others
        self._values: Values = []  # of all variables, each (places, …)
        self._programs: dict[tuple[str, int], Any] = {}

    @property
    def members(self) -> tuple[int, ...]:
        """The members that have not left, in order."""
        return tuple(self._members)

    def enter(self, member: int) -> None:
        """Add a member that has the variables of `program` as they are now."""
        members = sorted({*self._members, member})
        if len(members) > self._most or (self._fixed and member >= self._most):
            raise ValueError(f"no place for member {member} among {self._most}")
        self._members = members
        self._entered[member] = [np.array(value) for value in self.program.values()]

    def leave(self, members: Collection[int]) -> None:
        """Train these no longer."""
        self._members = [member for member in self._members if member not in members]

    def compile(self) -> None:
        """Compile what the members need that are left, where `train` and `evaluate` did not."""
        self._gather()
        for name in self._splits:
            self._program(name)

    def _gather(self) -> None:
        """Bring the members together, each at its place."""
        if not self._members:
            raise ValueError("all members have left")
        last = self._members[-1]
        if self._fixed:
            places = [m if m in self._members else last for m in range(self._most)]
        else:
            size = self._most
            while size // 2 >= len(self._members):
                size //= 2
            places = self._members + [last] * (size - len(self._members))
        if self._entered:
            values = {member: self._of(member) for member in self._members}
            self._values = [  # a copy, which the program may write to
                jnp.array(np.stack([values[member][number] for member in places]))
                for number in range(len(values[places[0]]))
            ]
            self._entered.clear()
        elif places != self._places:
            stay = np.array([self._places.index(member) for member in places])
            for number, value in enumerate(self._values):
                self._values[number] = value[stay]
        self._places = places

    def load(self, member: int) -> None:
        """Set the variables of `program` to those of a member."""
        self.program.assign(self._of(member))

    def variables(self, member: int) -> list[NDArray[Any]]:
        """The values of a member for `program.variables()`."""
        values = self._of(member)
        places = self.program.places(self.program.variables())
        return [np.asarray(values[place]) for place in places]

    def set_learning_rates(self, rates: Mapping[int, float]) -> None:
        """Set the (base) rate of each member, for the steps from now on."""
        self._gather()
        (place,) = self.program.places([self.program.learning_rate])
        given = [rates[member] for member in self._places]
        self._values[place] = jnp.array(given, self._values[place].dtype)

    def train(
        self,
        split: Examples,
        orders: Mapping[int, NDArray[np.int64]],
        on_step: OnStepOfAll,
        *,
        done: int,
        seconds: float,
    ) -> dict[int, Measured]:
        """Train one epoch, or the rest of it: each member over `split` in its own order.

        `done` steps were done before, in `seconds` for each member. A member's seconds are its
        share: together they are the time that passed.
        """
        self._gather()
        program = self._program(TRAIN)
        self._begin(TRAIN, split, fresh=done == 0)
        inputs = self.program.on_device(split)
        order = np.stack([self.program.padded(split, orders[member]) for member in self._places])
        members, rows = len(self._members), len(split)

        def run(first: int, last: int) -> tuple[Any, Any]:
            return self._run(program, inputs, order, (rows, first, last))[:2]

        def tell(step: int, losses: NDArray[Any], seconds: float) -> None:
            on_step(step, self._of_members(losses.tolist()), seconds / members)

        steps = order.shape[1] // self.program.batch_size
        found = in_blocks(run, steps, tell, done=done, seconds=seconds * members)
        return self._measured(*found)

    def evaluate(self, split: Examples) -> dict[int, Measured]:
        """Loss and accuracy of each member on a split; their seconds are shares."""
        return self._through(split)[0]

    def predict(self, split: Examples) -> dict[int, NDArray[np.float32]]:
        """The outputs of each member: (n, outputs), or (n, steps, outputs)."""
        return self._of_members(self._through(split)[1])

    def _through(self, split: Examples) -> tuple[dict[int, Measured], NDArray[np.float32]]:
        """Evaluate a split in pieces as large as the validation split."""
        self._gather()
        program = self._program(EVALUATE)
        self._begin(EVALUATE, split, fresh=True)
        started = time.perf_counter()
        validation, outputs = self._splits[EVALUATE], []
        for piece in split.pieces(validation):
            order = self.program.padded(piece, np.arange(len(validation)) % len(piece))
            numbers = (len(piece), 0, math.ceil(len(piece) / self.program.batch_size))
            loss, accuracy, found = self._run(program, piece.inputs, order, numbers)
            outputs.append(np.asarray(found)[:, : len(piece)])
        seconds = time.perf_counter() - started
        return self._measured(loss, accuracy, seconds), np.concatenate(outputs, axis=1)

    def _run(
        self, program: Any, inputs: Any, order: NDArray[np.int32], numbers: tuple[int, int, int]
    ) -> tuple[NDArray[Any], NDArray[Any], Any]:
        """Some steps of all members: the means so far, (places,) each, and all outputs."""
        self._values, loss, accuracy, outputs = program(
            self._values, inputs, order, *map(np.int32, numbers)
        )
        return np.asarray(loss), np.asarray(accuracy), outputs

    def _measured(
        self, losses: NDArray[Any], accuracies: NDArray[Any], seconds: float
    ) -> dict[int, Measured]:
        share = seconds / len(self._members)
        pairs = zip(losses.tolist(), accuracies.tolist(), strict=True)
        return self._of_members([Measured(loss, accuracy, share) for loss, accuracy in pairs])

    def _of_members(self, of_places: Any) -> dict[int, Any]:
        """From what belongs to each place to what belongs to each member."""
        return {member: of_places[self._places.index(member)] for member in self._members}

    def _begin(self, name: str, split: Examples, *, fresh: bool) -> None:
        """Do what `JaxEpochs.begin` does, for all members."""
        variables = self.program.begin(name, split, fresh=fresh)
        for place, variable in zip(self.program.places(variables), variables, strict=True):
            value = jnp.asarray(variable.value)
            self._values[place] = jnp.repeat(value[None], len(self._places), axis=0)

    def _program(self, name: str) -> Any:
        """TRAIN or EVALUATE for as many places as there are."""
        size = len(self._places)
        if (name, size) not in self._programs:
            with jax_cache.fresh_seconds() as seconds:
                self._programs[name, size] = self._compiled(name, size)
            self.compile_s += seconds()
        return self._programs[name, size]

    def _compiled(self, name: str, size: int) -> Any:
        split, batch = self._splits[name], self.program.batch_size
        order = np.zeros(math.ceil(len(split) / batch) * batch, np.int32)
        axis = None  # members are evaluated on the same examples
        if name == TRAIN:
            order, axis = np.tile(order, (size, 1)), 0
        steps = jax.vmap(self.program.steps(name, split), in_axes=(0, None, axis, *(None,) * 3))
        given = (self._values, split.inputs, order, *(np.int32(0),) * 3)
        # The program writes the new values where the old ones were.
        return jax.jit(steps, donate_argnums=0).lower(*given).compile()

    def _of(self, member: int) -> list[Any]:
        """The values of a member's variables."""
        if member in self._entered:
            return self._entered[member]
        place = self._places.index(member)
        return [value[place] for value in self._values]
