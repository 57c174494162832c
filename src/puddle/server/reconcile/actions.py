"""What can be done to the world, each a step that may be done twice.

`decide` returns these, `act` carries them out. `token` names the step (system and generation), so that a provider that
is asked again for the same thing gives the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from puddle.server.domain.records import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMachine:
    """Make the machine and its disk, from an image and perhaps a snapshot, and let it come up."""

    system_id: str
    name: str
    image_id: str
    instance_type_id: str
    disk_gb: int
    source_snapshot_id: str
    tags: Tags
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartMachine:
    """Let a stopped machine come up."""

    machine_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMachine:
    """Let it stop, its disk kept."""

    machine_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootMachine:
    """Let it go down and come up, once per token."""

    machine_id: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeMachine:
    """Give a stopped machine another size or a larger disk."""

    machine_id: str
    instance_type_id: str
    disk_gb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyMachine:
    """Remove the machine, its disk and everything that carries the system's tag, but for its snapshots."""

    system_id: str
    machine_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSnapshot:
    """Copy the disk."""

    system_id: str
    machine_id: str
    snapshot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpProduct:
    """Give the product its configuration and credentials, and start it where the image does not.

    What lies on the machine is the truth: the record's configuration is brought only where it is new
    (`config_status` is not OK) or the system never came up; otherwise the product is given None.
    """

    system_id: str
    machine_id: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartProduct:
    """Restart the product and not its machine, once per token."""

    system_id: str
    machine_id: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadConfig:
    """Put a configuration on a machine that runs; it counts from the next start of the product."""

    system_id: str
    machine_id: str
    config: str


Action = (
    CreateMachine
    | StartMachine
    | StopMachine
    | RebootMachine
    | ResizeMachine
    | DestroyMachine
    | TakeSnapshot
    | SetUpProduct
    | RestartProduct
    | UploadConfig
)
