"""One system, the facts about it and the time: what to write and which single step to take.

Pure. Called again and again; when the wish is fulfilled it has nothing left to do. Each step may be asked for twice
(after a crash, by a second server), which is why every action names what it is a step of. All changes of status go
through the table in `domain.states`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from puddle.server.domain.facts import CopyState, Facts, Machine, Power, ProductFacts
from puddle.server.domain.records import System
from puddle.server.domain.states import SETTLED, TO_BE_BROUGHT, Config, Fact, Product, Status, Vm
from puddle.server.reconcile import actions as a
from puddle.server.reconcile.course import Course
from puddle.server.reconcile.decision import AlertKind, Decision, Terms
from puddle.server.reconcile.idle import watch


def decide(system: System, facts: Facts, now: int, terms: Terms) -> Decision:
    """Return what follows for `system` from what is known at `now` (unix seconds)."""
    it = Course(system, facts, now, terms)
    it.look_for_machine()
    if it.lost():
        it.lose()
    else:
        AT[system.status](it)
    return it.decision()


def broken(system: System, reason: str, sentence: str, now: int, terms: Terms) -> Decision:
    """Return what follows when a step towards the wish cannot be done, ever: `sentence` says why."""
    it = Course(system, Facts(), now, terms)
    match system.status:
        case Status.SNAPSHOTTING:
            it.end_copy("", sentence)
        case Status.SCALING:
            it.say(reason, sentence)
            it.move(Fact.SCALING_REFUSED)
        case Status.TERMINATING | Status.FAILING | Status.FAILED:
            it.tell(AlertKind.FAILED, f"{system.name}: {sentence}")
        case Status.STARTED if system.config_status is Config.UPLOADING:
            it.say(reason, sentence)
            it.set(config_status=Config.FAILED)
        case status if status in SETTLED:
            it.say(reason, sentence)
        case _:
            it.fail(Fact.BROKEN, reason, sentence)
    return it.decision()


def done(system: System, action: a.Action, answer: str) -> System:
    """Return the record with what is known since `action` was taken; `answer` is the id of a machine it made."""
    match action:
        case a.CreateMachine():
            return replace(system, machine_id=answer)
        case a.UploadConfig() if system.config == action.config:
            return replace(system, config_status=Config.UPLOADED)
        case _:
            return system


# becoming ready


def initializing(it: Course) -> None:
    """Make the machine, from its snapshot if there is one; then the product."""
    if it.late():
        return it.fail(Fact.TOO_LATE, "TIMEOUT", "it did not come up within its time")
    machine = it.facts.machine
    if machine is None:
        return None
    if machine.power is Power.GONE:
        return _create(it)
    return _come_up(it, machine, Vm.PROVISIONING)


def _create(it: Course) -> None:
    system = it.system
    if system.source_snapshot_id:
        source = it.facts.source
        if source is not None and source.state in {CopyState.FAILED, CopyState.GONE}:
            return it.fail(Fact.BROKEN, "SNAPSHOT_LOST", "the snapshot it is to be made from is not there")
        if source is None or source.state is CopyState.CREATING:
            return it.set(vm_status=Vm.WAITING_FOR_SOURCE_SNAPSHOT)
    it.set(vm_status=Vm.PROVISIONING, product_status=Product.WAITING_FOR_VM)
    it.action = a.CreateMachine(
        system_id=system.id,
        name=system.name,
        image_id=system.image_id,
        instance_type_id=system.instance_type_id,
        disk_gb=system.disk_gb,
        source_snapshot_id=system.source_snapshot_id,
        tags=system.tags,
        token=it.token,
    )
    return None


def starting(it: Course) -> None:
    """Let a stopped machine come up, then the product."""
    if it.late():
        return it.fail(Fact.TOO_LATE, "TIMEOUT", "it did not come up within its time")
    if it.facts.machine is None:
        return None
    if it.facts.machine.power is Power.GONE:
        return it.fail(Fact.BROKEN, "VM_LOST", "its machine is not there any more")
    return _come_up(it, it.facts.machine, Vm.STARTING)


def rebooting(it: Course) -> None:
    """Reboot once, then wait as for any machine that comes up."""
    machine = it.facts.machine
    if it.late():
        return it.fail(Fact.TOO_LATE, "TIMEOUT", "it did not come back from its reboot within its time")
    if machine is None:
        return None
    if machine.power is Power.RUNNING and machine.token != it.token:
        it.open_session(machine)  # it may have been started just now; a reboot hides since when it runs
        it.set(product_status=Product.WAITING_FOR_VM)
        it.action = a.RebootMachine(machine_id=machine.id, token=it.token)
        return None
    return _come_up(it, machine, Vm.STARTING)


def restarting(it: Course) -> None:
    """Restart the product once, then wait for it."""
    machine, product = it.facts.machine, it.facts.product
    if it.late():
        return it.fail(Fact.TOO_LATE, "TIMEOUT", "the product did not come back within its time")
    if machine is None:
        return None
    if machine.power is not Power.RUNNING:
        return _come_up(it, machine, Vm.STARTING)
    it.open_session(machine)  # it may have been started just now
    it.set(product_status=Product.WAITING_FOR_PRODUCT)
    if product is None:
        return None
    if product.token != it.token:
        it.action = a.RestartProduct(system_id=it.system.id, machine_id=machine.id, token=it.token)
        return None
    return _await_product(it, machine, product)


def _come_up(it: Course, machine: Machine, meanwhile: Vm) -> None:
    it.note(machine)
    if machine.failure:
        return it.fail(Fact.BROKEN, "VM_FAILED", f"the machine cannot come up: {machine.failure}")
    if machine.power is Power.STOPPED:
        it.close_session(machine.since)  # somebody stopped it meanwhile
        if _has_its_size(it, machine):
            it.action = a.StartMachine(machine_id=machine.id)
    if machine.power is not Power.RUNNING:
        return it.set(vm_status=meanwhile, product_status=Product.WAITING_FOR_VM)
    it.open_session(machine)
    it.set(vm_status=Vm.RUNNING, product_status=Product.WAITING_FOR_PRODUCT)
    return None if it.facts.product is None else _await_product(it, machine, it.facts.product)


def _has_its_size(it: Course, machine: Machine) -> bool:
    """Whether a stopped machine has the size of the record; else it gets it. (Scaling was given up, but came true.)"""
    if machine.cloud_type == it.terms.cloud_type or not it.terms.cloud_type:
        return True
    it.action = a.ResizeMachine(
        machine_id=machine.id, instance_type_id=it.system.instance_type_id, disk_gb=it.system.disk_gb
    )
    return False


def _await_product(it: Course, machine: Machine, product: ProductFacts) -> None:
    if product.failure:
        return it.fail(Fact.BROKEN, "PRODUCT_FAILED", f"the product cannot come up: {product.failure}")
    if it.system.config_status in TO_BE_BROUGHT and product.token != it.token:
        it.action = a.RestartProduct(system_id=it.system.id, machine_id=machine.id, token=it.token)
        return None
    if not product.ready:
        it.action = a.SetUpProduct(system_id=it.system.id, machine_id=machine.id, token=it.token)
        return None
    it.move(Fact.READY)
    it.set(
        product_status=Product.READY,
        provisioned=True,
        url=product.url,
        started=it.now,
        last_activity=it.now,
        extended=0,
        warned=0,
        missed_probes=0,
        config=it.system.config if product.config is None else product.config,
        config_status=Config.OK,
        reason="",
        detail="",
    )
    return None


# at rest


def started(it: Course) -> None:
    """Up and ready: see that it still is, and whether anybody uses it."""
    machine = it.facts.machine
    if machine is not None and machine.power in {Power.STOPPED, Power.STOPPING}:
        if machine.power is Power.STOPPED:
            it.close_session(machine.since)
            it.say("DRIFT", "its machine was stopped, but not by Puddle")
            it.move(Fact.MACHINE_STOPPED)
            it.set(vm_status=Vm.DEALLOCATED, product_status=Product.VM_UNAVAILABLE)
            it.tell(AlertKind.DRIFT, f"{it.system.name}: its machine was stopped, but not by Puddle")
        return
    if machine is not None:
        it.note(machine)
        if machine.power is Power.RUNNING:
            it.open_session(machine)
    if not it.terms.budget_left:
        it.say("BUDGET", "its owner's budget for this month is used up")
        it.move(Fact.OVER_LIMIT)
        it.tell(AlertKind.BUDGET, f"{it.system.name} is stopped: its owner's budget for this month is used up")
        return
    watch(it)
    if it.system.status is Status.STARTED and it.system.config_status is Config.UPLOADING and machine is not None:
        it.action = a.UploadConfig(system_id=it.system.id, machine_id=machine.id, config=it.system.config)


def stopped(it: Course) -> None:
    """Down, its disk kept: see that it still is."""
    machine = it.facts.machine
    if machine is not None and machine.power is Power.RUNNING:
        it.note(machine)
        it.say("DRIFT", "its machine was started, but not by Puddle")
        it.tell(AlertKind.DRIFT, f"{it.system.name}: its machine was started, but not by Puddle")
        it.move(Fact.MACHINE_RUNS)
        it.set(cu=it.terms.cu)  # it uses them, whether there were any left or not
    elif machine is not None and machine.power is Power.STOPPED:
        _has_its_size(it, machine)


def settled(_it: Course) -> None:
    """Terminated: nothing more to do."""


# on the way down


def stopping(it: Course) -> None:
    """Let the machine stop, its disk kept."""
    if it.late():
        return it.fail(Fact.TOO_LATE, "TIMEOUT", "it did not stop within its time")
    it.set(vm_status=Vm.DEALLOCATING, product_status=Product.VM_UNAVAILABLE)
    machine = it.facts.machine
    if machine is None:
        return None
    if machine.power in {Power.STOPPED, Power.GONE}:
        it.close_session(machine.since)
        it.move(Fact.MACHINE_STOPPED)
        it.set(vm_status=Vm.DEALLOCATED)
    elif machine.power is not Power.STOPPING:
        it.action = a.StopMachine(machine_id=machine.id)
    return None


def scaling(it: Course) -> None:
    """Give a stopped machine its new size."""
    machine, system, terms = it.facts.machine, it.system, it.terms
    if it.late():
        return it.fail(Fact.TOO_LATE, "TIMEOUT", "it was not scaled within its time")
    if machine is None:
        return None
    grown = machine.disk_gb >= system.target_disk_gb
    if machine.cloud_type == terms.target_cloud_type and grown:
        it.set(instance_type_id=system.target_type_id, disk_gb=machine.disk_gb)
        it.move(Fact.SCALED)
        return None
    it.action = a.ResizeMachine(
        machine_id=machine.id, instance_type_id=system.target_type_id, disk_gb=system.target_disk_gb
    )
    return None


def snapshotting(it: Course) -> None:
    """Copy the disk; how that ends is the snapshot's affair, not the system's."""
    copy = it.facts.snapshot
    if it.late() and (copy is None or copy.state in {CopyState.GONE, CopyState.CREATING}):
        return it.end_copy("", "it was not done within its time")
    if copy is None:
        return None
    if copy.state is CopyState.GONE:
        it.action = a.TakeSnapshot(
            system_id=it.system.id, machine_id=it.system.machine_id, snapshot_id=it.system.snapshot_id
        )
    elif copy.state is CopyState.AVAILABLE:
        it.end_copy(copy.id, "")
    elif copy.state is CopyState.FAILED:
        it.end_copy(copy.id, copy.failure or "the cloud could not make it")
    return None


def failing(it: Course) -> None:
    """Stop what still runs, as far as that can be done in time; then it has failed."""
    it.end_pending_copy("the system has failed")
    if not _brought_down(it):
        if not it.late():
            return
        it.action = None
        it.set(vm_status=Vm.UNKNOWN)
        it.tell(AlertKind.FAILED, f"{it.system.name} has failed, and its machine may still run: look at its cloud")
    it.move(Fact.CLEANED_UP)
    it.set(product_status=Product.VM_UNAVAILABLE)


def failed(it: Course) -> None:
    """Nothing more to do, unless its machine may still run: that is stopped, and costs until then."""
    if it.system.session_id or it.system.vm_status is Vm.UNKNOWN:
        _brought_down(it)
        it.look_in = it.terms.look_every if it.facts.machine is None else it.terms.soon


def _brought_down(it: Course) -> bool:
    """Stop the machine; whether it is down. One that runs is metered, though nobody can use it."""
    machine = it.facts.machine
    if machine is None:
        return False
    if machine.power is Power.RUNNING:
        it.open_session(machine)
    if machine.power not in {Power.STOPPED, Power.GONE}:
        it.set(machine_id=machine.id)
        if machine.power is not Power.STOPPING:
            it.action = a.StopMachine(machine_id=machine.id)
        return False
    it.close_session(machine.since or it.now)
    it.set(vm_status=Vm.DEALLOCATED if machine.power is Power.STOPPED else Vm.TERMINATED, machine_id=machine.id)
    return True


def terminating(it: Course) -> None:
    """Remove everything; done when the cloud confirms that nothing is left."""
    machine = it.facts.machine
    it.set(vm_status=Vm.TERMINATING, product_status=Product.VM_UNAVAILABLE)
    it.end_pending_copy("the system was terminated")
    if machine is None:
        return
    if machine.power is Power.RUNNING:
        it.open_session(machine)
    elif machine.power is Power.STOPPED:
        it.close_session(machine.since)  # before it goes, and nobody can tell any more
    if machine.power is not Power.GONE:
        it.action = a.DestroyMachine(system_id=it.system.id, machine_id=machine.id)
        return
    it.close_session(machine.since or it.now)
    it.move(Fact.NOTHING_LEFT)
    it.set(vm_status=Vm.TERMINATED, machine_id="", secret="", url="")


AT: Mapping[Status, Callable[[Course], None]] = {
    Status.UNKNOWN: settled,
    Status.INITIALIZING: initializing,
    Status.STARTING: starting,
    Status.STARTED: started,
    Status.STOPPING: stopping,
    Status.STOPPED: stopped,
    Status.REBOOTING: rebooting,
    Status.RESTARTING_DAI: restarting,
    Status.SCALING: scaling,
    Status.SNAPSHOTTING: snapshotting,
    Status.FAILING: failing,
    Status.FAILED: failed,
    Status.TERMINATING: terminating,
    Status.TERMINATED: settled,
}
"""What is looked at where a system stands."""
