"""The descriptions of a cluster on Google Kubernetes Engine: names, sizes, prices; and what cannot run yet says so."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import FrozenInstanceError

import pytest

from scannerpy import build_flags, kube
from scannerpy.errors import ConfigError, NotSupported

SMALL = kube.MachineConfig(image="scanner", type=kube.MachineTypeName("n1-standard-4"), disk=100)


@pytest.mark.parametrize(
    ("name", "cpu", "mem"),
    [("n1-standard-8", 8, 30.0), ("n1-highmem-4", 4, 26.0), ("n1-highcpu-16", 16, 14.4), ("n1-standard-96", 96, 360)],
)
def test_a_name_says_how_large_the_machine_is(name: str, cpu: int, mem: float) -> None:
    machine = kube.MachineTypeName(name)
    assert (machine.get_cpu(), machine.get_mem(), machine.get_name()) == (cpu, pytest.approx(mem), name)


@pytest.mark.parametrize("name", ["n1-standard", "e2-standard-4", "n1-ultra-4", "n1-standard-four", ""])
def test_another_name_is_refused_with_examples(name: str) -> None:
    with pytest.raises(ConfigError, match="n1-standard-8"):
        kube.MachineTypeName(name)


@pytest.mark.parametrize(
    ("cpu", "mem", "name"),
    [
        (4, 15, "n1-standard-4"),
        (8, 52, "n1-highmem-8"),
        (2, 1.8, "n1-highcpu-2"),
        (6, 22.5, "custom-6-23040"),  # the memory of n1-standard, but six is no power of two
        (4, 16, "custom-4-16384"),
        (4, 27, "custom-4-27648-ext"),
    ],
)
def test_quantities_find_their_name(cpu: int, mem: float, name: str) -> None:
    machine = kube.MachineTypeQuantity(cpu, mem)
    assert (machine.get_name(), machine.get_cpu(), machine.get_mem()) == (name, cpu, mem)


def price(machine: kube.MachineType, **options: object) -> float:
    return kube.MachineConfig("image", machine, disk=0, **options).price()  # type: ignore[arg-type]


def test_prices_are_the_list_prices_of_their_month() -> None:
    assert kube.PRICES_AS_OF == "2020-02"
    assert price(kube.MachineTypeName("n1-standard-1")) == pytest.approx(0.0475, abs=1e-4)
    assert price(kube.MachineTypeName("n1-standard-1"), preemptible=True) == pytest.approx(0.01, abs=1e-4)
    assert price(kube.MachineTypeQuantity(1, 3.75)) == price(kube.MachineTypeName("n1-standard-1"))


def test_custom_machines_cost_more_and_extended_memory_most() -> None:
    standard, custom = price(kube.MachineTypeName("n1-standard-4")), price(kube.MachineTypeQuantity(4, 15.5))
    assert standard < custom < price(kube.MachineTypeQuantity(4, 26))
    within, beyond = kube.MachineTypeQuantity(6, 39), kube.MachineTypeQuantity(6, 40)
    assert price(beyond) - price(within) == pytest.approx(0.00955)


def test_gpus_and_disks_are_paid_for() -> None:
    machine = kube.MachineTypeName("n1-standard-4")
    assert price(machine, gpu=2) - price(machine) == pytest.approx(2 * 1.46)
    spare = price(machine, gpu=1, gpu_type="nvidia-tesla-t4", preemptible=True) - price(machine, preemptible=True)
    assert spare == pytest.approx(0.11)
    assert SMALL.price() - price(machine) == pytest.approx(4 / 730)
    with pytest.raises(ConfigError, match="'voodoo2' is not known here; there is one of nvidia-tesla-k80"):
        price(machine, gpu=1, gpu_type="voodoo2")


def test_a_cluster_costs_its_workers_and_its_master() -> None:
    cluster = kube.ClusterConfig(id="c", num_workers=3, master=SMALL, worker=SMALL)
    assert cluster.price() == pytest.approx(4 * SMALL.price())
    assert cluster.price(no_master=True) == pytest.approx(3 * SMALL.price())


def test_the_configuration_lies_in_the_home_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    cluster = kube.ClusterConfig(id="c", num_workers=1, master=SMALL, worker=SMALL)
    assert cluster.scanner_config == str(tmp_path / ".scanner" / "config.toml")


def test_descriptions_are_frozen_values() -> None:
    cluster = kube.ClusterConfig(id="c", num_workers=1, master=SMALL, worker=SMALL)
    with pytest.raises(FrozenInstanceError):
        cluster.num_workers = 2  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(cluster)) == cluster
    assert hash(kube.MachineTypeName("n1-standard-4")) == hash(SMALL.type)


def test_keys_come_from_the_environment_and_are_not_shown(monkeypatch) -> None:
    names = ["GOOGLE_APPLICATION_CREDENTIALS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    for name in names:
        monkeypatch.setenv(name, f"the {name}")
    cloud = kube.CloudConfig(project="p")
    assert [cloud.service_key, cloud.storage_key_id, cloud.storage_key_secret] == [f"the {name}" for name in names]
    assert "the AWS" not in repr(cloud)
    for name in names:
        monkeypatch.delenv(name)
    with pytest.raises(KeyError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        kube.CloudConfig(project="p")
    assert kube.CloudConfig("p", "a key file", "an id", "a secret").storage_key_secret == "a secret"


def cluster(**options: bool) -> kube.Cluster:
    cloud = kube.CloudConfig("p", "a key file", "an id", "a secret")
    return kube.Cluster(cloud, kube.ClusterConfig("c", 1, SMALL, SMALL), **options)


ACTS = sorted(name for name in vars(kube.Cluster) if not name.startswith("_") and name != "config")


@pytest.mark.parametrize("name", ACTS)
def test_what_a_cluster_cannot_do_yet_is_said(name: str) -> None:
    act = getattr(cluster(), name)
    needed = [
        p for p in inspect.signature(act).parameters.values() if p.default is p.empty and p.kind < p.VAR_POSITIONAL
    ]
    with pytest.raises(NotSupported, match=rf"Cluster\.{name}: clusters of several machines are not supported yet"):
        act(*needed)


def test_a_cluster_can_be_described_and_not_entered() -> None:
    assert cluster().config().num_workers == 1
    with pytest.raises(NotSupported, match=r"Cluster\.start"), cluster():
        pass
    with cluster(no_start=True, no_delete=True) as made:
        assert made.config().id == "c"
    for entry in (kube.master, kube.worker):
        with pytest.raises(NotSupported, match="not supported yet"):
            entry()


@pytest.mark.parametrize("name", build_flags.__all__)
def test_flags_for_native_libraries_are_not_there_yet(name: str) -> None:
    with pytest.raises(NotSupported, match=r"build_flags\.get_.*@register_python_op"):
        getattr(build_flags, name)()
