"""Where one coordinator saturates: `python tests/benchmarks/thousand_gpus.py`.

A discrete-event simulation of workers that train epochs and wait for the coordinator's answer after
each; the coordinator serves one message after another. Service times are those that
`coordinator_load.py` measures, epochs are drawn from a log-normal distribution. Prints by number of
workers how much of their time is spent training, and how busy the coordinator is.
"""

import argparse
import heapq
import random

EPOCHS = 5  # of a trial


def simulate(
    workers: int, epoch_s: float, epoch_ms: float, trial_ms: float, hours: float, seed: int = 0
) -> tuple[float, float, float]:
    """Share of the workers' time in training, of the coordinator's in service, mean wait (s)."""
    rng = random.Random(seed)
    horizon = hours * 3600.0
    # (time at which a worker has something to say, worker, epochs left of its trial)
    events = [(rng.uniform(0, epoch_s), worker, EPOCHS) for worker in range(workers)]
    heapq.heapify(events)
    free_at = busy = trained = waited = 0.0
    messages = 0
    while events:
        now, worker, left = heapq.heappop(events)
        if now > horizon:
            break
        # The end of a trial and the start of the next are told with its last epoch.
        service = (trial_ms if left == 1 else epoch_ms) / 1000.0
        begins = max(now, free_at)
        free_at = begins + service
        busy += service
        waited += free_at - now
        messages += 1
        spent = rng.lognormvariate(0.0, 0.5) * epoch_s
        trained += spent
        heapq.heappush(events, (free_at + spent, worker, EPOCHS if left == 1 else left - 1))
    return (
        min(1.0, trained / (workers * horizon)),
        min(1.0, busy / horizon),
        waited / max(1, messages),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epoch-ms", type=float, default=0.7, help="service of an epoch's message")
    parser.add_argument("--trial-ms", type=float, default=3.0, help="service of a trial's end")
    parser.add_argument("--hours", type=float, default=0.5)
    options = parser.parse_args()
    print("workers  epoch s  training %  coordinator busy %  mean wait ms")
    for epoch_s in (60.0, 10.0, 1.0):
        for workers in (16, 100, 1_000, 10_000):
            training, busy, wait = simulate(
                workers, epoch_s, options.epoch_ms, options.trial_ms, options.hours
            )
            print(
                f"{workers:7,} {epoch_s:8g} {100 * training:11.1f} {100 * busy:19.1f} "
                f"{1000 * wait:13.1f}"
            )


if __name__ == "__main__":
    main()
