"""One system that a loop works on, from the lease until its release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from puddle.server.clouds.base import StepFailed
from puddle.server.domain.catalog import Image, InstanceType
from puddle.server.domain.facts import Facts
from puddle.server.domain.records import Snapshot, System
from puddle.server.reconcile.decision import Decision, Terms
from puddle.server.store.systems import Claim


class Stage(Enum):
    """What is waited for."""

    CLOUD = "the cloud's facts"
    PRODUCT = "the product's facts"
    STEP = "the outcome of a step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is read with the lease: on which terms, and of what the system is made."""

    terms: Terms
    types: Mapping[str, InstanceType]
    image: Image | None = None
    source: Snapshot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step ended: the id of a machine it made, or why it failed. `saved`: that id is in the system's row.

    `overtaken`: it was not taken, since it is somebody else's by now, or something else is wished.
    """

    machine_id: str = ""
    overtaken: bool = False
    saved: bool = False
    failed: StepFailed | None = None


@dataclass(slots=True, eq=False)
class Work:
    """`system` is the record as it was read, then as it was written. `kept`: nobody wrote in between.

    `since`: when the work was taken up; what is seen of the cloud is so at that time or later.
    """

    claim: Claim
    given: Given
    system: System
    since: int
    stage: Stage = Stage.CLOUD
    facts: Facts = field(default_factory=Facts)
    decision: Decision | None = None
    kept: bool = True

    @property
    def size(self) -> str:
        """What reports call the size of its machine."""
        kind = self.given.types.get(self.system.instance_type_id)
        return kind.text if kind else ""

    @property
    def goes_on(self) -> bool:
        """Whether a step is to be taken, on a decision that still holds."""
        return self.kept and self.decision is not None and self.decision.action is not None
