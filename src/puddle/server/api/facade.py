"""All use cases in one place, as the transports find them."""

from __future__ import annotations

from puddle.server.api.catalog import Images, InstanceTypes, Tags
from puddle.server.api.creating import Creating
from puddle.server.api.logins import Logins
from puddle.server.api.people import People
from puddle.server.api.reports import Reports
from puddle.server.api.snapshots import Snapshots
from puddle.server.api.systems import Systems
from puddle.server.api.trail import Trail
from puddle.server.api.wishes import Wishes
from puddle.server.auth.attempts import LoginLimiter
from puddle.server.auth.tokens import TokenLifetimes
from puddle.server.backend import Backend


class Api:
    """The use cases of one installation. All methods raise `errors.Refused` where they refuse."""

    def __init__(
        self, backend: Backend, *, limiter: LoginLimiter | None = None, tokens: TokenLifetimes | None = None
    ) -> None:
        """`limiter` counts failed logins in this process."""
        self.backend = backend
        self.logins = Logins(backend, limiter or LoginLimiter(), tokens or TokenLifetimes())
        self.systems = Systems(backend)
        self.creating = Creating(backend)
        self.wishes = Wishes(backend)
        self.snapshots = Snapshots(backend)
        self.images = Images(backend)
        self.instance_types = InstanceTypes(backend)
        self.tags = Tags(backend)
        self.people = People(backend)
        self.reports = Reports(backend)
        self.trail = Trail(backend)
