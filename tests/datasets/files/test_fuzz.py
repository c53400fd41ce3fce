"""Thousands of mutated files: each gives data or one line; tests/benchmarks has a million."""

import resource
from pathlib import Path

import pytest
from fuzzing import KINDS, Fuzzer

COUNT = 600
MEMORY_MB = 300


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_give_data_or_one_line(ram_path: Path, kind: str) -> None:
    if kind == ".parquet":
        pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fuzzer = Fuzzer(kind, ram_path, seed=0)
    count = COUNT // 10 if kind == "folder" else COUNT
    refused = sum(fuzzer.once() for _ in range(count))
    assert 0 < refused < count
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MEMORY_MB * 1024
