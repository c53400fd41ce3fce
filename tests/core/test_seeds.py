"""Seeds depend on their parts and on nothing else."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from harness.core.seeds import derive_seed


@given(st.lists(st.one_of(st.integers(), st.text()), max_size=4))
def test_a_seed_fits_everywhere(parts: list[object]) -> None:
    assert 0 <= derive_seed(*parts) < 2**31
    assert derive_seed(*parts) == derive_seed(*parts)


def test_seeds_stay_what_they_are() -> None:
    """Old run directories resume with the same trials only if these never change."""
    assert derive_seed(0, "depth=2", 7, "training") == 701_172_704
    assert derive_seed() == 1_910_006_305


def test_other_processes_derive_the_same_seed() -> None:
    code = "from harness.core.seeds import derive_seed; print(derive_seed(3, 'arm', 'sampler'))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(found.stdout) == derive_seed(3, "arm", "sampler")


def test_each_part_matters() -> None:
    seeds = {
        derive_seed(*parts)
        for parts in ((1, 23), (12, 3), (123,), (23, 1), ("1", "2", "3"), (1, 23, ""))
    }
    assert len(seeds) == 6
