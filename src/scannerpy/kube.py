"""Scanner clusters on Google Kubernetes Engine: what they are made of, and what they cost.

The descriptions (`MachineConfig`, `ClusterConfig`, …) are plain frozen values and work: names, sizes, prices. `Cluster`
itself needs a master that runs on another machine, which Scanner does not have yet: every method that would act on one
raises `NotSupported`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

from scannerpy.errors import ConfigError, NotSupported

__all__ = [
    "PRICES_AS_OF",
    "CloudConfig",
    "Cluster",
    "ClusterConfig",
    "MachineConfig",
    "MachineType",
    "MachineTypeName",
    "MachineTypeQuantity",
    "master",
    "worker",
]

# What machines cost

PRICES_AS_OF = "2020-02"
"""The month the prices below are meant to be of: about Google's list prices in US dollars for us-east1, no discounts.
They were not checked against a published list. Compare clusters with them; look up today's before you plan a budget."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """Dollars per hour: for a machine that is ours, and for a preemptible one."""

    kept: float
    preemptible: float

    def of(self, *, preemptible: bool) -> float:
        return self.preemptible if preemptible else self.kept


_CPU, _MEMORY = _Rate(0.031611, 0.006655), _Rate(0.004237, 0.000892)  # n1: per vCPU, per GB
_CUSTOM_CPU, _CUSTOM_MEMORY = _Rate(0.033174, 0.00698), _Rate(0.004446, 0.00094)
_EXTENDED_MEMORY = _Rate(0.00955, 0.002014)  # per GB above 6.5 a vCPU
_DISK_MONTH = 0.04  # per GB of standard persistent disk
_HOURS_A_MONTH = 730
_GPUS = {
    "nvidia-tesla-k80": _Rate(0.45, 0.135),
    "nvidia-tesla-p4": _Rate(0.60, 0.216),
    "nvidia-tesla-t4": _Rate(0.35, 0.11),
    "nvidia-tesla-p100": _Rate(1.46, 0.43),
    "nvidia-tesla-v100": _Rate(2.48, 0.74),
}

_FAMILIES = {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9}  # GB per vCPU
_MOST_PER_CPU = 6.5  # GB; more is "extended memory"


def _from_environment(name: str) -> Any:
    """A field that takes an environment variable; a missing one is a KeyError, as it always was."""
    return field(default_factory=lambda: os.environ[name], repr=False)


@dataclass(frozen=True)
class CloudConfig:
    """A project of Google Cloud, and the keys for it.

    `service_key` is the path of a service account's key file (default: ``$GOOGLE_APPLICATION_CREDENTIALS``),
    `storage_key_id` and `storage_key_secret` open the bucket (default: ``$AWS_ACCESS_KEY_ID`` and
    ``$AWS_SECRET_ACCESS_KEY``). Raises KeyError where neither is given. Keys are not shown by `repr`.
    """

    project: str
    service_key: str = _from_environment("GOOGLE_APPLICATION_CREDENTIALS")
    storage_key_id: str = _from_environment("AWS_ACCESS_KEY_ID")
    storage_key_secret: str = _from_environment("AWS_SECRET_ACCESS_KEY")


class MachineType:
    """How many CPUs and how much memory a machine has. Use `MachineTypeName` or `MachineTypeQuantity`."""

    def get_cpu(self) -> int:
        """Return the number of virtual CPUs."""
        raise NotImplementedError(f"{type(self).__name__}.get_cpu")

    def get_mem(self) -> float:
        """Return the memory in GB."""
        raise NotImplementedError(f"{type(self).__name__}.get_mem")

    def get_name(self) -> str:
        """Return Google's name for it, such as ``n1-standard-8``."""
        raise NotImplementedError(f"{type(self).__name__}.get_name")


@dataclass(frozen=True)
class MachineTypeName(MachineType):
    """A machine type by Google's name: ``n1-standard-8``, ``n1-highmem-…``, ``n1-highcpu-…``."""

    name: str

    def __post_init__(self) -> None:
        parts = self.name.split("-")
        if len(parts) != 3 or parts[0] != "n1" or parts[1] not in _FAMILIES or not parts[2].isdigit():
            known = ", ".join(f"n1-{family}-8" for family in _FAMILIES)
            raise ConfigError(f"{self.name!r} is not a machine type known here: write one like {known}")

    def get_cpu(self) -> int:
        """Return the number of virtual CPUs."""
        return int(self.name.split("-")[2])

    def get_mem(self) -> float:
        """Return the memory in GB."""
        return self.get_cpu() * _FAMILIES[self.name.split("-")[1]]

    def get_name(self) -> str:
        """Return the name."""
        return self.name


@dataclass(frozen=True)
class MachineTypeQuantity(MachineType):
    """A machine type by what it has: `cpu` virtual CPUs and `mem` GB. Takes the name of a family where it fits."""

    cpu: int
    mem: float

    def get_cpu(self) -> int:
        """Return the number of virtual CPUs."""
        return self.cpu

    def get_mem(self) -> float:
        """Return the memory in GB."""
        return self.mem

    def get_name(self) -> str:
        """Return ``n1-…`` for a power of two with a family's memory, else ``custom-<cpu>-<MB>``, with ``-ext`` above
        6.5 GB a CPU.
        """
        for family, per_cpu in _FAMILIES.items():
            if self.cpu.bit_count() == 1 and self.mem == self.cpu * per_cpu:
                return f"n1-{family}-{self.cpu}"
        return f"custom-{self.cpu}-{int(self.mem * 1024)}" + ("-ext" if self.mem > self.cpu * _MOST_PER_CPU else "")


@dataclass(frozen=True)
class MachineConfig:
    """The machines of one role: the container `image`, the machine `type`, `disk` in GB, `gpu` GPUs of `gpu_type`."""

    image: str
    type: MachineType
    disk: int
    gpu: int = 0
    gpu_type: str = "nvidia-tesla-p100"
    preemptible: bool = False

    def price(self) -> float:
        """Return dollars per hour of one machine with its disk and GPUs, at the prices of `PRICES_AS_OF`.

        Raises ConfigError for a GPU whose price is not known.
        """
        return self._machine() + self._gpus() + self.disk * _DISK_MONTH / _HOURS_A_MONTH

    def _machine(self) -> float:
        cpus, memory = self.type.get_cpu(), self.type.get_mem()
        if not self.type.get_name().startswith("custom-"):
            return cpus * _CPU.of(preemptible=self.preemptible) + memory * _MEMORY.of(preemptible=self.preemptible)
        extended = max(0.0, memory - cpus * _MOST_PER_CPU)
        return (
            cpus * _CUSTOM_CPU.of(preemptible=self.preemptible)
            + (memory - extended) * _CUSTOM_MEMORY.of(preemptible=self.preemptible)
            + extended * _EXTENDED_MEMORY.of(preemptible=self.preemptible)
        )

    def _gpus(self) -> float:
        if not self.gpu:
            return 0.0
        if self.gpu_type not in _GPUS:
            raise ConfigError(f"the price of a {self.gpu_type!r} is not known here; there is one of {', '.join(_GPUS)}")
        return self.gpu * _GPUS[self.gpu_type].of(preemptible=self.preemptible)


_GOOGLE = "https://www.googleapis.com/auth"
_SCOPES = frozenset(
    f"{_GOOGLE}/{scope}"
    for scope in (
        "compute", "devstorage.read_write", "logging.write", "monitoring", "pubsub", "service.management.readonly",
        "servicecontrol", "trace.append",
    )
)  # fmt: skip


@dataclass(frozen=True)
class ClusterConfig:
    """A cluster: one `master` and `num_workers` machines like `worker`, in a `zone` of Google Cloud."""

    id: str
    num_workers: int
    master: MachineConfig
    worker: MachineConfig
    zone: str = "us-east1-b"
    kube_version: str = "latest"
    num_load_workers: int = 8
    num_save_workers: int = 8
    autoscale: bool = True
    no_workers_timeout: int = 600
    scopes: frozenset[str] = _SCOPES
    scanner_config: str = field(default_factory=lambda: str(Path.home() / ".scanner" / "config.toml"))
    pipelines: frozenset[Any] = frozenset()

    def price(self, no_master: bool = False) -> float:
        """Return dollars per hour with all workers running; `no_master` leaves the master out."""
        workers = self.num_workers * self.worker.price()
        return workers if no_master else workers + self.master.price()


class Cluster:
    """A cluster that runs on Google Kubernetes Engine, to be used as a context manager.

    **Not available yet**: it can be described, and every method that would act on it raises `NotSupported`.
    """

    def __init__(
        self,
        cloud_config: CloudConfig,
        cluster_config: ClusterConfig,
        no_start: bool = False,
        no_delete: bool = False,
        containers: Any = None,
    ) -> None:
        self._cloud_config = cloud_config
        self._cluster_config = cluster_config
        self._no_start = no_start
        self._no_delete = no_delete
        self._containers = containers

    def __enter__(self) -> Self:
        if not self._no_start:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        if not self._no_delete:
            self.delete()

    def config(self) -> ClusterConfig:
        """Return the description the cluster was made from."""
        return self._cluster_config

    def start(self, reset: bool = True, wait: bool = True) -> NoReturn:
        """Create the cluster and start Scanner in it. Not available yet."""
        del reset, wait
        _later("Cluster.start")

    def delete(self, prompt: bool = False) -> NoReturn:
        """Delete the cluster. Not available yet."""
        del prompt
        _later("Cluster.delete")

    def resize(self, size: int) -> NoReturn:
        """Change the number of workers. Not available yet."""
        del size
        _later("Cluster.resize")

    def running(self, pool: str) -> NoReturn:
        """Tell whether the machines of `pool` are up. Not available yet."""
        del pool
        _later("Cluster.running")

    def get_credentials(self) -> NoReturn:
        """Fetch the credentials for kubectl. Not available yet."""
        _later("Cluster.get_credentials")

    def master_address(self) -> NoReturn:
        """Return the master's ``ip:port``. Not available yet."""
        _later("Cluster.master_address")

    def client(self, retries: int = 3, **kwargs: Any) -> NoReturn:
        """Return a Client of the cluster. Not available yet."""
        del retries, kwargs
        _later("Cluster.client")

    def job_status(self) -> NoReturn:
        """Return the status of the running job. Not available yet."""
        _later("Cluster.job_status")

    def healthy(self) -> NoReturn:
        """Tell whether all containers are well. Not available yet."""
        _later("Cluster.healthy")

    def monitor(self, sc: Any) -> NoReturn:
        """Watch a job until it is done. Not available yet."""
        del sc
        _later("Cluster.monitor")

    def resource_metrics(self) -> NoReturn:
        """Return the use of CPU and memory. Not available yet."""
        _later("Cluster.resource_metrics")

    def master_logs(self, previous: bool = False) -> NoReturn:
        """Print the master's log. Not available yet."""
        del previous
        _later("Cluster.master_logs")

    def worker_logs(self, n: int, previous: bool = False) -> NoReturn:
        """Print the log of worker `n`. Not available yet."""
        del n, previous
        _later("Cluster.worker_logs")

    def trace(self, path: str, subsample: int | None = None, job: int | None = None) -> NoReturn:
        """Write the trace of a job. Not available yet."""
        del path, subsample, job
        _later("Cluster.trace")

    def cli(self) -> NoReturn:
        """Serve the commands start, delete, resize, … from a program's command line. Not available yet."""
        _later("Cluster.cli")

    def get_kube_info(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Ask Kubernetes for objects of a kind. Not available yet."""
        del args, kwargs
        _later("Cluster.get_kube_info")

    def get_by_owner(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Find what belongs to a Kubernetes object. Not available yet."""
        del args, kwargs
        _later("Cluster.get_by_owner")

    def get_object(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Find a Kubernetes object by name. Not available yet."""
        del args, kwargs
        _later("Cluster.get_object")

    def get_pod(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Find a deployment's pod. Not available yet."""
        del args, kwargs
        _later("Cluster.get_pod")

    def create_object(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Create a Kubernetes object. Not available yet."""
        del args, kwargs
        _later("Cluster.create_object")

    def make_container(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Describe a container of the cluster. Not available yet."""
        del args, kwargs
        _later("Cluster.make_container")

    def make_deployment(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Describe a deployment of the cluster. Not available yet."""
        del args, kwargs
        _later("Cluster.make_deployment")


def master() -> NoReturn:
    """Run the master of a cluster in its container. Not available yet."""
    _later("kube.master")


def worker() -> NoReturn:
    """Run a worker of a cluster in its container. Not available yet."""
    _later("kube.worker")


def _later(what: str) -> NoReturn:
    raise NotSupported(
        f"{what}: clusters of several machines are not supported yet; Client() uses all cores of this machine, and the "
        "descriptions in scannerpy.kube tell what a cluster would cost"
    )
