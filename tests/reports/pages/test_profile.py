"""A profile's own page."""

from profile_testing import profile

from reports.pages import profile as profile_page


def test_the_page_says_where() -> None:
    cpu = profile()
    entries = [
        {**each, "device": device, "depth": 1, "units": units, "arms": [],
         "step_ms": {**each["step_ms"], "median": float(units) if device == "cpu" else 20.0}}
        for device in ("cpu", "gpu")
        for each, units in zip(cpu["entries"], (8, 16, 32, 64), strict=True)
    ]  # fmt: skip
    text = profile_page.render({**cpu, "entries": entries}, now="2026-11-23T12:00:00Z")
    assert "below 640 the CPU is faster" in text
    assert "Sequences per second" not in text  # one batch size


def test_throughput_is_charted_against_batches() -> None:
    cpu = profile()
    entries = [
        {**each, "depth": 1, "batch_size": batch}
        for each, batch in zip(cpu["entries"], (32, 64, 128, 256), strict=True)
    ]
    text = profile_page.render({**cpu, "entries": entries}, now="2026-11-23T12:00:00Z")
    assert "Sequences per second on the CPU" in text


def test_the_page_names_what_is_unstable() -> None:
    text = profile_page.render(profile(), now="2026-11-23T12:00:00Z")
    assert "<td>unstable</td>" in text
    assert "Unstable: 1 of 4" in text
    assert text == profile_page.render(profile(), now="2026-11-23T12:00:00Z")
