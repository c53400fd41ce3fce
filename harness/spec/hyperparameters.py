"""The hyperparameters of one training, checked by name. No Keras: study files use it too."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from harness.core.checks import check_whole
from harness.core.errors import UserError
from harness.spec import training_options as options
from harness.spec.values import hashable

CELLS = ("rnn", "gru", "lstm")
# These have no meaning where time steps are numbers.
OF_TOKENS = ("vocabulary", "embedding_dim", "embedding_dropout", "pretrained")
BAG = "bag"  # no recurrence: the mean of the embeddings; units and depth do not matter


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The fixed, compared and searched hyperparameters of one training.

    `units` is one number for all layers, or one number for each layer, the first layer first.
    `dropout` acts on the outputs of each recurrent layer (between layers and before the head).
    The defaults are those of the tutorial that the project tests: a vocabulary of 10,000 words, the
    last 100 words of each review, embeddings of 32 numbers, Adam with Keras's learning rate,
    batches of 32. `own` has the names and values of other hyperparameters, which a study's own
    model function takes. Raises UserError naming the parameter that is wrong.

    `decoder_depth` is for translations: the layers of the decoder, 0 for as many as the encoder's
    `depth`. The fields from `optimizer` to `precision` are options. Their defaults are what
    stock Keras does without them, and files leave them out where they have their defaults
    (`to_mapping`). `harness.spec.training_options` says what each value means.
    """

    cell: str = "lstm"
    depth: int = 2
    units: int | tuple[int, ...] = 5
    bidirectional: bool = False
    embedding_dim: int = 32
    vocabulary: int = 10_000
    sequence_length: int = 100
    dropout: float = 0.0
    learning_rate: float = 1e-3
    batch_size: int = 32
    optimizer: str = "adam"
    momentum: float = 0.0
    weight_decay: float | None = None
    clip_norm: float | None = None
    schedule: str = "constant"
    pooling: str = "last"
    embedding_dropout: float = 0.0
    residual: bool = False
    layer_norm: str = "none"
    recurrent_dropout: float = 0.0
    mask: bool = False
    label_smoothing: float = 0.0
    class_weight: str = "none"
    units_shape: str = "equal"
    activation: str = "tanh"
    kernel_initializer: str = "glorot_uniform"
    recurrent_initializer: str = "orthogonal"
    pretrained: str | None = None
    decoder_depth: int = 0
    stateful: bool = False
    precision: str = "float32"
    own: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.cell == BAG and self.depth != 1:
            raise UserError(f"depth: {self.depth} of cell {BAG}, which has no layers to stack")
        if self.cell not in (*CELLS, BAG):
            raise UserError(f"cell: {self.cell!r} is not one of {', '.join(CELLS)}")
        for name, least in (
            ("depth", 1),
            ("embedding_dim", 1),
            ("vocabulary", 4),  # padding, start, unknown and at least one word
            ("sequence_length", 1),
            ("batch_size", 1),
            ("decoder_depth", 0),
        ):
            check_whole(name, getattr(self, name), least)
        if isinstance(self.units, list | tuple):
            object.__setattr__(self, "units", tuple(self.units))
            if len(self.units) != self.depth:
                raise UserError(
                    f"units: {len(self.units)} numbers for depth {self.depth}; "
                    "give one number, or one for each layer"
                )
            for value in self.units:
                check_whole("units", value, 1)
        else:
            check_whole("units", self.units, 1)
        if not isinstance(self.bidirectional, bool):
            raise UserError(f"bidirectional: {self.bidirectional!r} is neither True nor False")
        options.check_share("dropout", self.dropout)
        options.check_finite("learning_rate", self.learning_rate)
        if self.learning_rate <= 0.0:
            raise UserError(f"learning_rate: {self.learning_rate} is not above 0")
        options.check({each.name: getattr(self, each.name) for each in fields(self)}, self.options)

    @classmethod
    def from_mapping(
        cls, values: Mapping[str, Any], own: Collection[str] = ()
    ) -> "Hyperparameters":
        """Check names and values; raises UserError naming the parameter that is wrong.

        `own` are the names that a study's own model function takes; their values are not checked.
        """
        known = {field.name for field in fields(cls)} - {"own"} | set(own)
        for name in values:
            if name not in known:
                raise UserError(
                    f"{name}: no such hyperparameter; known are {', '.join(sorted(known))}"
                )
        plain = {name: value for name, value in values.items() if name not in own}
        taken = tuple((name, hashable(values[name])) for name in sorted(own) if name in values)
        return cls(**plain, own=taken)

    def to_mapping(self, *, defaults: bool = False) -> dict[str, Any]:
        """Names and values; options at their defaults only with `defaults`."""
        values = asdict(self)
        del values["own"]
        kept = values if defaults else {n: v for n, v in values.items() if n not in OPTIONS}
        return kept | self.options | dict(self.own)

    @property
    def options(self) -> dict[str, Any]:
        """The options that differ from what stock Keras does by default."""
        return {
            name: getattr(self, name)
            for name, default in OPTIONS.items()
            if getattr(self, name) != default
        }

    @property
    def decoder(self) -> "Hyperparameters":
        """The same with the decoder's depth as `depth`."""
        return replace(self, depth=self.decoder_depth or self.depth)

    @property
    def units_per_layer(self) -> tuple[int, ...]:
        """The units of each layer; in a pyramid each has half as many as the one before."""
        if not isinstance(self.units, int):
            return self.units
        if self.units_shape == "pyramid":
            return tuple(max(1, self.units >> layer) for layer in range(self.depth))
        return (self.units,) * self.depth


_NAMES = [field.name for field in fields(Hyperparameters)]
# The options, each with its default; older files do not have them.
OPTIONS: dict[str, Any] = {
    field.name: field.default
    for field in fields(Hyperparameters)[_NAMES.index("optimizer") : _NAMES.index("own")]
}
