"""A million mutated files for the loaders: `python tests/benchmarks/fuzz_loaders.py`.

Each gives data or a UserError. Prints, for each kind, how many were refused, the slowest input and
the greatest memory. Ends with the traceback, and the seed, of the first that did neither.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from fuzzing import KINDS, Fuzzer  # noqa: E402

BLOCK = 1_000  # inputs of one seed
SLOW_S = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="inputs in all")
    parser.add_argument("--seed", type=int, default=0, help="of the first block")
    parser.add_argument("--kind", choices=KINDS, help="one kind alone")
    parser.add_argument("--limit-gb", type=float, default=4.0, help="address space of the process")
    arguments = parser.parse_args()
    limit = int(arguments.limit_gb * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    kinds = [arguments.kind] if arguments.kind else KINDS
    for kind in kinds:
        measure(kind, arguments.count // len(kinds), arguments.seed)


def measure(kind: str, count: int, first: int) -> None:
    refused, slowest, done = 0, 0.0, 0
    while done < count:
        seed = first + done // BLOCK
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        with tempfile.TemporaryDirectory(dir=memory, prefix="fuzz-loaders-") as folder:
            fuzzer = Fuzzer(kind, Path(folder), seed)
            for number in range(min(BLOCK, count - done)):
                began = time.perf_counter()
                try:
                    refused += fuzzer.once()
                except BaseException:
                    print(f"{kind}: seed {seed}, input {number + 1}", file=sys.stderr)
                    raise
                took = time.perf_counter() - began
                slowest = max(slowest, took)
                if took > SLOW_S:
                    print(f"{kind}: seed {seed}, input {number + 1} took {took:.0f} s", flush=True)
                done += 1
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{kind:14} {done:9,} inputs, {refused / done:4.0%} refused, slowest {slowest:.2f} s, "
        f"at most {peak_mb:.0f} MB so far",
        flush=True,
    )


if __name__ == "__main__":
    main()
