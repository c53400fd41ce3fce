"""Workers as actors of a Ray cluster, placed by Ray on its CPUs and GPUs. No Keras.

The messages are the same as over pipes: an actor runs harness.workers.worker.work on a thread and
passes its messages on. Encoded splits go through the object store, once to each node. If a node
shares the run directory, checkpoints and models are written there. If not, they come back in
messages. The actors end with the coordinator.
"""

import contextlib
import signal
import socket
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import ray
import ray.exceptions

from harness.core import environment
from harness.core.closing import Closing
from harness.core.errors import UserError
from harness.core.files import write_atomically
from harness.datasets.base.dataset import Dataset, Split
from harness.spec import own_modules
from harness.spec.hyperparameters import Hyperparameters
from harness.workers.local import Settings, environment_of
from harness.workers.messages import (
    Died,
    Down,
    Ready,
    TrainRequest,
    Up,
)
from harness.workers.ray_actor import Actor, Delivered, Files, known_versions

KEPT_SPLITS = 24  # encoded splits in the object store
ADDRESSES = "local, auto, or HOST:PORT"


def variables_of(settings: Settings, gpus: float) -> dict[str, str]:
    """Environment variables of an actor that gets `gpus` GPUs."""
    variables = environment_of(settings)
    if gpus == 0:
        # Without this, an actor that asked for no GPU would see all of them.
        variables["CUDA_VISIBLE_DEVICES"] = "-1"
    elif gpus < 1:
        variables["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # several share one GPU's memory
    return variables


@dataclass
class _Worker:
    actor: Any
    asked: Any  # the reference of the last call
    order: TrainRequest | None = None
    greeted: bool = False  # it has answered `hello`
    node: str = "?"  # the address of its node, once it has
    shared: bool = True
    ready: bool = False
    dead: bool = False


class RayPool(Closing):
    """`count` actors on the cluster at `address`; a context manager that ends all of them.

    `local` starts a cluster on this machine alone. `auto` finds one that `ray start` has started
    here. Actors wait until there is room for them, so nodes that join later are used. Each actor
    gets `gpus` GPUs, which may be a fraction. Raises UserError where the cluster can't be reached
    or used.
    """

    memory_limit = 2**62  # Ray limits memory itself

    def __init__(
        self, address: str, count: int, settings: Settings, logs: Path, *, gpus: float = 0.0
    ) -> None:
        self._settings = settings
        self._gpus = gpus
        self._splits: OrderedDict[str, Any] = OrderedDict()
        logs.mkdir(parents=True, exist_ok=True)
        self._token = logs / f"shared-{uuid.uuid4().hex}"
        _connect(address, settings.threads)
        self._token.write_text("whoever sees this file shares the run directory\n")
        if settings.study_file is not None:
            # Nodes do not have the user's own files, so what they define is sent as a whole.
            for module in own_modules.loaded_beside(Path(settings.study_file)):
                ray.cloudpickle.register_pickle_by_value(module)
        self._workers: list[_Worker] = []
        try:
            for _ in range(count):
                self._workers.append(self._create())
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def ready(self) -> list[int]:
        return [i for i, worker in enumerate(self._workers) if worker.ready and not worker.dead]

    def name(self, worker: int) -> str:
        """The address of the worker's node, and its number, such as 10.0.0.7/3."""
        return f"{self._workers[worker].node}/{worker}"

    def memory(self, worker: int) -> int:
        return 0

    def send(self, worker: int, message: Down) -> None:
        one, files = self._workers[worker], None
        if isinstance(message, TrainRequest):
            one.order = message
            if not one.shared:
                kept = Path(message.checkpoints)
                files = {file.name: file.read_bytes() for file in kept.glob("[0-9]*")}
            delivered: Any = self._delivered(message)
            message = replace(message, dataset=delivered)
        one.actor.send.remote(message, files)

    def wait(self, timeout_s: float) -> list[tuple[int, Up]]:
        asked = {w.asked: i for i, w in enumerate(self._workers) if not w.dead}
        ready, rest = ray.wait(list(asked), num_returns=1, timeout=timeout_s)
        if ready and rest:
            ready += ray.wait(rest, num_returns=len(rest), timeout=0)[0]
        messages: list[tuple[int, Up]] = []
        for reference in ready:
            worker = asked[reference]
            messages += [(worker, message) for message in self._heard(worker, reference)]
        return messages

    def replace(self, worker: int) -> None:
        self._end(self._workers[worker])
        self._workers[worker] = self._create()

    def close(self) -> None:
        for worker in self._workers:
            self._end(worker)
        ray.shutdown()
        self._token.unlink(missing_ok=True)

    def _create(self) -> _Worker:
        settings: dict[str, Any] = {
            "device": self._settings.device,
            "path": self._settings.path,
            "cpus": [],
            "study_file": None,
        }
        # One call at a time in each direction, so that messages keep their order.
        remote = ray.remote(concurrency_groups={"down": 1, "up": 1})(Actor)
        actor = remote.options(
            num_cpus=self._settings.threads,
            num_gpus=self._gpus,
            max_restarts=0,
            runtime_env={"env_vars": variables_of(self._settings, self._gpus)},
        ).remote(settings, str(self._token))  # fmt: skip
        return _Worker(actor, actor.hello.remote())

    def _heard(self, number: int, reference: Any) -> list[Up]:
        worker = self._workers[number]
        try:
            said = ray.get(reference)
        except (ray.exceptions.RayActorError, ray.exceptions.RaySystemError) as error:
            if not worker.greeted and isinstance(error, ray.exceptions.ActorDiedError):
                _explain(error)
            worker.dead = True
            return [Died(f"the loss of its actor ({_first_line(error)})")]
        if not worker.greeted:
            _check_versions(said)
            worker.greeted, worker.shared, worker.node = True, said["shared"], said["node"]
            said = []
        worker.asked = worker.actor.next.remote()
        messages: list[Up] = []
        for message in said:
            if isinstance(message, Files):
                self._keep(worker, message)
            else:
                worker.ready = worker.ready or isinstance(message, Ready)
                messages.append(message)
        return messages

    def _keep(self, worker: _Worker, files: Files) -> None:
        """Write the files of a node: checkpoint arrays before the record that names them."""
        assert worker.order is not None
        folder = Path(worker.order.checkpoints)
        for name in sorted(files.checkpoints, key=lambda name: (name.endswith(".json"), name)):
            if not (folder / name).exists():
                write_atomically(folder / name, files.checkpoints[name])
        for old in folder.glob("[0-9]*"):
            if old.name not in files.checkpoints:
                old.unlink()
        if files.model is not None and worker.order.model is not None:
            write_atomically(Path(worker.order.model), files.model)

    def _delivered(self, order: TrainRequest) -> Delivered:
        """The splits of a request, in the object store; each is put there only once."""
        dataset, hp = order.dataset, order.hyperparameters
        splits: tuple[Split, ...] = ("train", "validation")
        if order.score == "test":
            splits = (*splits, "test")
        found = {}
        for split in splits:
            read = f"{split} {hp.sequence_length} {hp.vocabulary}"
            load = partial(
                dataset.load, split, sequence_length=hp.sequence_length, vocabulary=hp.vocabulary
            )
            found[split] = self._put(f"{dataset!r} {read}", load)
        texts = self._put(f"{dataset!r} words {hp.vocabulary}", partial(_words, dataset, hp))
        while len(self._splits) > KEPT_SPLITS:
            self._splits.popitem(last=False)
        return Delivered(
            key=f"{dataset!r} {sorted(found)}",
            refs=found,
            mapping=dataset.to_mapping(),
            signature=dataset.signature,
            metric=dataset.metric,
            labels=dataset.labels,
            scaled=dataset.scaling(),
            texts=texts,
            answers=dataset.fed_back(hp.vocabulary) if dataset.signature.decodes else None,
        )

    def _put(self, key: str, make: Callable[[], Any]) -> Any:
        """A reference to what `make` returns, which is put into the object store only once."""
        if key not in self._splits:
            self._splits[key] = ray.put(make())
        self._splits.move_to_end(key)
        return self._splits[key]

    def _end(self, worker: _Worker) -> None:
        worker.dead = True
        with contextlib.suppress(Exception):  # the actor or the cluster has already ended
            ray.kill(worker.actor)


def _connect(address: str, threads: int) -> None:
    """Join the cluster; raises UserError where there is none.

    A local cluster has as many CPUs as the machine, so that further trainings wait.
    """
    if address.startswith("ray://"):
        raise UserError(
            f"--ray {address}: run the study on a node of the cluster and give --ray auto, or "
            "HOST:PORT of its head"
        )
    options: dict[str, Any] = (
        {
            "address": "local",
            "num_cpus": max(threads, len(environment.available_cpus())),
            "include_dashboard": False,
        }
        if address == "local"
        else {"address": address}
    )
    _check_reachable(address)
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(
            **options, log_to_driver=False, logging_level="ERROR", configure_logging=False,
            namespace="harness",
        )  # fmt: skip
    except (ray.exceptions.RayError, RuntimeError, ValueError, OSError) as error:
        raise _unreachable(address, _first_line(error)) from None
    finally:
        for each, handler in handlers.items():  # Ray replaces them by its own
            signal.signal(each, handler)


def _check_reachable(address: str) -> None:
    """Raises UserError where nothing listens at the address: Ray would try for minutes."""
    if address in ("local", "auto"):
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise _unreachable(address, "not an address")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, str(error)) from None


def _unreachable(address: str, reason: str) -> UserError:
    return UserError(
        f"--ray {address}: no cluster can be joined there ({reason}); give {ADDRESSES}; "
        "ray start --head starts one here"
    )


def _check_versions(said: Mapping[str, Any]) -> None:
    """Raises UserError where a node has other versions than the coordinator."""
    here = known_versions()
    other = [
        f"{name} {there} (here {here.get(name)})"
        for name, there in said["versions"].items()
        if here.get(name) != there
    ]
    if other:
        raise UserError(
            f"--ray: node {said['node']} ({said['host']}) has {', '.join(other)}; install the same "
            "there, or the numbers will differ"
        )


def _explain(error: BaseException) -> None:
    """Raises UserError for an actor that could not start, for example without this package."""
    text = str(error)
    for line in reversed(text.splitlines()):
        if "Error" in line:
            raise UserError(
                f"--ray: a node could not start a worker ({line.strip()[:200]}); every node needs "
                "the same packages as this machine, also this package"
            )


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__


def _words(dataset: Dataset, hp: Hyperparameters) -> list[str]:
    """The words by id; none of numbers, or where the ids of imdb-keras have none."""
    if not dataset.features:
        with contextlib.suppress(UserError):
            return dataset.words(hp.vocabulary)
    return []
