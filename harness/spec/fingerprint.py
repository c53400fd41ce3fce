"""The fingerprint of a study, and the differences between two studies."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# What may change when a study is resumed: earlier trials stay comparable.
FREE_TO_CHANGE = ("budget.trials", "searches", "replicates", "margin")

CODE = "code"  # hashes of the user's own definitions; run directories of older versions have none


def fingerprint(spec: Mapping[str, Any]) -> str:
    """SHA-256 of everything that a trial's outcome depends on; more trials do not change it."""
    fixed = {name: value for name, value in _flat(spec).items() if name not in FREE_TO_CHANGE}
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The differences that keep two specs' trials from being mixed, as `name: old → new`.

    Definitions of the user's own code have changed, or are gone, or are new.
    """
    before, after = _flat(old), _flat(new)
    if CODE not in old:
        after = {name: value for name, value in after.items() if not _is_code(name)}
    return [
        _difference(name, before, after)
        for name in dict.fromkeys([*before, *after])
        if name not in FREE_TO_CHANGE
        and (name not in before or name not in after or before[name] != after[name])
    ]


def _difference(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if _is_code(name):
        what = "is new" if name not in before else "is gone" if name not in after else "has changed"
        return f"the code of {name.removeprefix(f'{CODE}.')} {what}"
    return f"{name}: {_shown(before, name)} → {_shown(after, name)}"


def _is_code(name: str) -> bool:
    return name.startswith(f"{CODE}.")


def _shown(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name]) if name in values else "absent"


def _flat(spec: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted names; lists stay whole."""
    flat: dict[str, Any] = {}
    for name, value in json.loads(json.dumps(spec)).items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat
