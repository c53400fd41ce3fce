"""What the readers of tables and folders give: texts, labels, and where each row stands."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import UserError
from harness.core.text import cut, some
from harness.datasets.files.decoding import UTF8
from harness.datasets.files.labels import Label, trim

_LONG_NAME = 60  # characters; a column's name that is longer is rather a text
SEQUENCES = "an .npz file: numpy.savez('numbers.npz', x=x, y=y), x of shape (n, length, features)"

# Bytes of memory for each byte of text, and besides for each row, until the texts are numbers: with
# some reserve, as measured with characters as tokens. (Words that are all different take more.)
BYTE_MEMORY, ROW_MEMORY = 10, 200


@dataclass(frozen=True)
class Source:
    """A file or folder of the user's, and how to read it; `encoding` None: see decoding.

    With `label_column` None its texts have no labels: those that a model is to label.
    """

    path: str
    text_column: str = "text"
    label_column: str | None = "label"
    tokenizer: str = "words"
    encoding: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The names that are looked for, by what they hold: `text`, and `label` if there is one."""
        found = {"text": trim(self.text_column)}
        return found if self.label_column is None else found | {"label": trim(self.label_column)}


NO_LABEL = 0  # stands for the label where a source has none


@dataclass
class Rows:
    """The rows of a source that have a text and a label, and places of those that lack one.

    `left_out` has, by reason, what is no row; `notes` say what else was made of the source.
    """

    texts: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    encoding: str = UTF8
    unit: str = "row"
    lists: int = 0  # texts that were lists of tokens
    _numbers: "array[int]" = field(default_factory=lambda: array("q"))
    _lines: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, text: object, label: object, number: int, line: int = 0) -> None:
        """Add row `number` (from 1) of a table; `line` is 0 where that says nothing more.

        Raises ValueError where a cell is no text or no label.
        """
        if _is_empty(text) or _is_empty(label):
            self.lacking.append(place(number, line, self.unit))
            return
        self.texts.append(self._text(text))
        self.labels.append(_label(label))
        self._numbers.append(number)
        self._lines.append(line)

    def place(self, index: int) -> str:
        """Where a text stands, in words."""
        return place(self._numbers[index], self._lines[index], self.unit)

    def _text(self, cell: object) -> str:
        if isinstance(cell, list) and all(isinstance(token, str) for token in cell):
            self.lists += 1
            return " ".join(cell)
        if isinstance(cell, str | int | float) and not isinstance(cell, bool):
            return str(cell)
        of_others = " of other things than texts" if isinstance(cell, list) else ""
        raise ValueError(f"the text is {_kind(cell)}{of_others}")


def place(number: int, line: int = 0, unit: str = "row") -> str:
    """`row 138 (line 139)`."""
    return f"{unit} {number:,}" + (f" (line {line:,})" if line else "")


def check_columns(
    path: Path, names: Sequence[str], source: Source, *, numbers: bool = False, at: str = ""
) -> tuple[int, int]:
    """The places of the columns among the names; raises UserError unless each is there once.

    Without labels both are that of the texts. A name that is there counts; otherwise one that
    differs in case only.
    `numbers` says that the table seems to have only numbers and dates.
    """
    columns = source.columns
    wanted = tuple(columns.values())
    alike = len({name.casefold() for name in wanted}) < len(wanted)
    if len({*wanted}) < len(wanted) or (alike and not set(wanted) <= set(names)):
        raise UserError(
            f"--text-column and --label-column are both {cut(wanted[0])!r}; texts and labels need "
            "columns of their own"
        )
    places = []
    for option, name in columns.items():
        found = [i for i, each in enumerate(names) if each == name] or [
            i for i, each in enumerate(names) if each.casefold() == name.casefold()
        ]
        places += found
        if len(found) > 1:
            raise UserError(f"{path}{at} has several columns {cut(name)!r}; rename all but one")
        if not found:
            hint = ""
            if numbers:
                hint = "; a forecast from a table over time needs --time-column and --target-column"
            elif any(len(each) > _LONG_NAME or each.isdigit() for each in names):
                hint = ", or add a first line with their names: is there a heading?"
            raise UserError(
                f"{path}{at} has no column {cut(name)!r}; it has {some(names) or 'none'}: name one "
                f"with --{option}-column{hint}"
            )
    return places[0], places[-1]


def _is_empty(cell: object) -> bool:
    """Nothing, blanks, or NaN, which stands for a gap in a column of numbers."""
    if isinstance(cell, str):
        return not cell.strip() or not trim(cell[:100])
    return cell is None or cell == [] or (isinstance(cell, float) and cell != cell)


def _label(cell: object) -> Label:
    if isinstance(cell, str | bool | int | float):
        return cell
    raise ValueError(f"the label is {_kind(cell)}; each row needs one class")


def _kind(cell: object) -> str:
    kinds = {list: "a list", dict: "an object", bool: "true or false"}
    return kinds.get(type(cell), f"a {type(cell).__name__}")
