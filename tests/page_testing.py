"""Checks for every HTML page, and records to test them with."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

HOSTILE = (
    "<script>alert(1)</script></script><img src=x onerror=alert(2)> $x^2$ $\\frac$ [/] [red] "
    "\x1b[31mred\x1b[0m \u202eabc\u202c \u200f =cmd() {{ 7*7 }} \udc80 \x00 &amp; ]]> '\" 日本語 🙂"
)
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Parsed(HTMLParser):
    """Elements with their attributes, and text; raises where tags are not balanced."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> Iterator[str]:
        """Values of an attribute, in the order of the page."""
        for _, attributes in self.elements:
            if (value := attributes.get(name)) is not None:
                yield value


def check(text: str) -> Parsed:
    """Checks that hold for every page."""
    parsed = Parsed(text)
    ids = list(parsed.all("id"))
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in parsed.elements if tag in ("iframe", "object", "img")] == []
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == [tag for tag, _ in parsed.elements].count("script") == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert not [name for _, a in parsed.elements for name in a if name.startswith("on")]
    for name in ("src", "srcset", "data", "poster", "xlink:href"):
        assert list(parsed.all(name)) == []
    for target in parsed.all("href"):
        if target.startswith("data:text/csv"):
            assert target.isascii()
            continue
        assert target == "data:," or (target.startswith("#") and target[1:] in ids), target
    for target in re.findall(r"url\((.*?)\)", text):
        assert target.startswith("#"), target
        assert target[1:] in ids
    assert "@import" not in text
    for tag, attributes in parsed.elements:
        if tag == "svg" and attributes.get("aria-hidden") != "true":
            assert len(attributes["aria-label"] or "") > 40
            assert "viewBox" in attributes or "viewbox" in attributes
    for name in ("nan", "NaN", "None", "<NA>"):
        assert not re.search(rf"\b{name}\b", parsed.text)
    text.encode("utf-8")
    return parsed


def failed(result: dict[str, Any], reason: str = "out of memory") -> dict[str, Any]:
    """As the search writes a trial that failed before its first epoch."""
    nothing = dict.fromkeys(("value", "val_accuracy", "best_epoch", "parameters", "step_ms"))
    return {**result, **nothing, "state": "failed", "train_s": 0.0, "reason": reason}


def pruned(result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "state": "pruned"}
