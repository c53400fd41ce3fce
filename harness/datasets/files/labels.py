"""What labels mean: which spellings are one class, and which classes look alike."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.core.errors import UserError
from harness.core.text import counted, cut

# Written plainly, without an exponent, and without the leading zeros that codes have.
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{0,30})?|\.[0-9]{1,30})")
_WHOLE = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,30})")
_ANY_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?")
# Not seen at the end of a label: zero-width spaces and joiners, byte order mark, soft hyphen.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_MOST_NAMED = 3  # groups of labels that a note names

Label = str | bool | int | float
Place = Callable[[int], str]


@dataclass(frozen=True)
class Labels:
    """The label of each row, and sentences about what was made of them."""

    of_rows: list[str]
    notes: list[str]


def cleaned(values: Sequence[Label], place: Place) -> Labels:
    """Labels as classes: without blanks around them, composed (NFC), `1` and `1.0` as one.

    `place(i)` says where value i stands, for the UserError about labels of several kinds.
    """
    # Keyed by type, too: 1, 1.0 and True are equal, but not written alike.
    found = Counter((type(value), value) for value in values)
    _check_kinds(values, {kind for kind, _ in found}, place)
    trimmed = {key: _trimmed(key[1]) for key in found}
    spelling = _spelling(set(trimmed.values()))
    names = {key: spelling[label] for key, label in trimmed.items()}
    texts = {value: count for (_, value), count in found.items() if isinstance(value, str)}
    blanks = sum(count for text, count in texts.items() if text != text.strip())
    notes = []
    if blanks:
        notes.append(f"blanks around {counted(blanks, 'label')} are not part of the class")
    notes += _merged(spelling)
    notes += _alike(set(names.values()))
    return Labels([names[type(value), value] for value in values], notes)


def ordered(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels as numbers where all of them are, else as texts."""
    found = set(labels)
    if all(_ANY_NUMBER.fullmatch(label) for label in found):
        return tuple(sorted(found, key=lambda label: (Decimal(label), label)))
    return tuple(sorted(found))


def is_number(label: str) -> bool:
    """Whether a label is a number, written in any way that has no exponent."""
    return bool(_ANY_NUMBER.fullmatch(label))


def trim(text: str) -> str:
    """Without white space and unseen characters at both ends, and composed (NFC)."""
    stripped = text.strip()
    while stripped != (less := stripped.strip(_UNSEEN).strip()):
        stripped = less
    return unicodedata.normalize("NFC", stripped)


def _trimmed(value: Label) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # in tables with gaps, whole numbers become floats
    return trim(str(value))


def _check_kinds(values: Sequence[Label], kinds: set[type], place: Place) -> None:
    """Raises UserError where some labels are true or false, and others are not."""
    if bool not in kinds or len(kinds) == 1:
        return
    one = next(index for index, value in enumerate(values) if isinstance(value, bool))
    for value in values:
        if not isinstance(value, bool) and str(value).strip().lower() not in ("true", "false"):
            raise UserError(
                f"{place(one)} has the label {str(values[one]).lower()}, while another is "
                f"{cut(repr(value))}; write all labels in one way"
            )


def _spelling(labels: set[str]) -> dict[str, str]:
    """How each label is spelled: equal numbers in one way, whole ones without a point.

    Whole numbers keep their points where all of them have one.
    """
    groups: dict[Decimal, list[str]] = defaultdict(list)
    for label in labels:
        if _NUMBER.fullmatch(label):
            groups[Decimal(label)].append(label)
    whole = any(_WHOLE.fullmatch(label) for group in groups.values() for label in group)
    spelling = {label: label for label in labels}
    for value, group in groups.items():
        shortest = min(group, key=lambda label: (len(label), label))
        if whole and value == value.to_integral_value():
            shortest = str(int(value))
        spelling |= dict.fromkeys(group, shortest)
    return spelling


def _merged(spelling: dict[str, str]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for label, name in spelling.items():
        groups[name].append(label)
    several = sorted(name for name, labels in groups.items() if len(labels) > 1)
    told = [" and ".join(map(_quoted, sorted(groups[name], key=len))) for name in several]
    return [f"labels that are one number are one class: {_listed(told)}"] if told else []


def _alike(names: set[str]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[_seen(name)].append(name)
    told = [
        " and ".join(map(_quoted, sorted(group))) for group in groups.values() if len(group) > 1
    ]
    if not told:
        return []
    return [f"labels that differ only in case or form stay apart: {_listed(sorted(told))}"]


def _seen(name: str) -> str:
    """What a reader takes a label for: no case, blanks, unseen characters or leading zeros."""
    if _ANY_NUMBER.fullmatch(name):
        return str(Decimal(name).normalize())
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Cf")


def _quoted(label: str) -> str:
    return repr(cut(label))


def _listed(told: list[str]) -> str:
    more = len(told) - _MOST_NAMED
    return "; ".join(told[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
