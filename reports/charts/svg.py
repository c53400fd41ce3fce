"""Matplotlib's SVG as a part of the page: labelled, in the page's colours, and small."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from harness.core.text import sanitize


def inline(
    svg: str, identity: str, alt: str, variables: Mapping[str, str], tooltips: Mapping[str, str]
) -> str:
    """Matplotlib's SVG as a part of a page: scalable, labelled, with ids that begin with identity.

    `variables` are CSS variables by the colours that stand for them, `tooltips` texts by the id of
    the row that a mark links to.
    """
    href = "{http://www.w3.org/1999/xlink}href"
    root = ET.fromstring(sanitize(svg))
    for child in list(root):
        # Its metadata name the drawing library; its style sheet would apply to the whole page.
        if child.tag.endswith("}metadata") or child.find("{*}style") is not None:
            root.remove(child)
    used = dict.fromkeys(re.findall(r'(?:url\(#|<use [^>]*href="#)([^")]+)', svg))
    names = {name: f"{identity}-{number}" for number, name in enumerate(used)}
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.tail = None
        element.text = (element.text or "").strip() or None
        attributes = element.attrib
        attributes.pop("target", None)  # links stay in the page
        if (name := attributes.pop("id", None)) in names:
            attributes["id"] = names[name]
        if target := attributes.pop(href, None):
            if element.tag == "a":
                # No keyboard stop for each dot: there are too many, and the table has the rows.
                attributes.update(href=target, tabindex="-1")
                if (tooltip := tooltips.get(target[1:])) is not None:
                    ET.SubElement(element, "title").text = sanitize(tooltip)
            else:
                attributes["href"] = f"#{names[target[1:]]}"
        # Charts are less than twice as wide on a screen: a tenth is not seen of where a mark is.
        for name, digits in (("d", 2), ("transform", 2), ("x", 1), ("y", 1)):
            if name in attributes:
                attributes[name] = _rounded(attributes[name], digits)
        if "d" in attributes and not set("CQz") & set(attributes["d"]):
            # A line, whose L is understood after M or L.
            attributes["d"] = _rounded(attributes["d"], 1).replace(" L ", " ")
        if attributes.get("transform", "").startswith("rotate(-0 "):
            del attributes["transform"]
        if "clip-path" in attributes:
            attributes["clip-path"] = f"url(#{names[attributes['clip-path'][5:-1]]})"
        if "style" in attributes:
            style = re.sub(
                r"#[0-9a-f]{6}", lambda m: variables.get(m[0], m[0]), attributes["style"]
            )
            style = re.sub(r"font: (?:(bold|\d+) )?([\d.]+px)[^;]*", _font, style)
            style = re.sub(r"font-family: [^;]*;? ?", "", style)
            attributes["style"] = style.replace(": ", ":").replace("; ", ";")
    _slim(root)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    # No <title> for the whole chart: browsers would show it over every dot. Links are allowed in a
    # graphics-document, but not in an img.
    root.attrib.update(
        {"viewBox": box, "role": "graphics-document", "aria-label": alt, "class": "chart"}
    )
    text = ET.tostring(root, encoding="unicode").replace(" />", "/>")
    return re.sub(r' (tabindex|x|y)="(-?[\d.]+)"(?=[ >])', r" \1=\2", text)  # as HTML allows


def _slim(root: ET.Element) -> None:
    """Marks beside one another get from a group what they have in common: fewer bytes."""
    for group in list(root.iter("g")):
        marks = [_mark(child) for child in group if child.tag != "defs"]
        if not group.attrib:
            _share(group, marks)
    _unwrap(root)
    for parent in [root, *root.iter("g")]:
        if parent.attrib.keys() & {"style", "clip-path"}:
            continue
        children = list(parent)
        parent[:] = []
        for linked, run in itertools.groupby(children, key=lambda child: child.tag == "a"):
            together = list(run)
            group = ET.Element("g")
            if linked:
                _share(group, [_mark(link) for link in together])
            if group.attrib:
                group.extend(together)
                together = [group]
            parent.extend(together)


def _mark(element: ET.Element) -> ET.Element | None:
    """The only thing that a link, or a mark without one, draws; None for all else."""
    drawn = [child for child in element if child.tag != "title"] if element.tag == "a" else []
    one = drawn[0] if len(drawn) == 1 else element
    return one if one.tag in ("use", "path") else None


def _share(group: ET.Element, found: list[ET.Element | None]) -> None:
    """Move what is the same in all marks to their group, if it is inherited or cuts the same.

    Nothing, where the group has other things or a single mark.
    """
    marks = [mark for mark in found if mark is not None]
    if len(marks) < max(2, len(found)):
        return
    styles = [mark.attrib.pop("style", "").split(";") for mark in marks]
    same = [
        each
        for each in styles[0]
        if each and not each.startswith("opacity:") and all(each in style for style in styles)
    ]
    if same:
        group.set("style", ";".join(same))
    for mark, style in zip(marks, styles, strict=True):
        if own := ";".join(each for each in style if each and each not in same):
            mark.set("style", own)
    clips = {mark.attrib.get("clip-path") for mark in marks}
    if len(clips) == 1 and (clip := clips.pop()):
        group.set("clip-path", clip)
        for mark in marks:
            del mark.attrib["clip-path"]


def _unwrap(parent: ET.Element) -> None:
    """Replace groups without attributes by their children."""
    found = []
    for child in parent:
        _unwrap(child)
        found += list(child) if child.tag == "g" and not child.attrib else [child]
    parent[:] = found


def _rounded(text: str, digits: int) -> str:
    def rounded(match: re.Match[str]) -> str:
        return f"{float(match[0]):.{digits}f}".rstrip("0").rstrip(".")

    return re.sub(rf"\d+\.\d{{{digits + 1},}}", rounded, " ".join(text.split()))


def _font(match: re.Match[str]) -> str:
    weight = f"font-weight: {match[1]}; " if match[1] else ""
    return f"{weight}font-size: {match[2]}"
