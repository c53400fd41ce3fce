"""Energy counters are found where they exist."""

from pathlib import Path

from harness.workers import energy


def test_energy_counts_packages_where_they_can_be_read(tmp_path: Path) -> None:
    assert energy.counter("cpu", tmp_path) is None
    for name, microjoules in (
        ("intel-rapl:0", 3e6),
        ("intel-rapl:0:0", 1e6),
        ("intel-rapl:1", 4e6),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{microjoules:.0f}\n")
    counter = energy.counter("cpu", tmp_path)
    assert counter is not None
    assert counter() == 7.0
