"""A simulated cloud, for tests and demonstrations: exact, fast, on any clock, and as faulty as a test wants it.

`world` is where its things are: in memory, or in a file that several processes share and that survives their end.
`nodes` says what a machine becomes with time, `moment` what each order does, `faults` which calls go wrong, `outside`
what happens behind Puddle's back. `cloud` joins them into a `Provider`.
"""

from puddle.server.clouds.simulated.cloud import Contents, SimulatedCloud
from puddle.server.clouds.simulated.faults import ALWAYS, Fault, Faults, When
from puddle.server.clouds.simulated.moment import Delays
from puddle.server.clouds.simulated.nodes import Uptime
from puddle.server.clouds.simulated.outside import Outside
from puddle.server.clouds.simulated.shell import SimulatedShell
from puddle.server.clouds.simulated.world import FileWorld, MemoryWorld, World, WorldClock

__all__ = [
    "ALWAYS",
    "Contents",
    "Delays",
    "Fault",
    "Faults",
    "FileWorld",
    "MemoryWorld",
    "Outside",
    "SimulatedCloud",
    "SimulatedShell",
    "Uptime",
    "When",
    "World",
    "WorldClock",
]
