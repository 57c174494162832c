"""For tests of Puddle, and for whoever writes a cloud or a product for it.

A simulated cloud and product on a hand-turned clock (nothing waits, everything can go wrong), and in `clouds` and
`products` the conformance suites that each of them passes.
"""

from puddle.server.clouds.simulated import (
    ALWAYS,
    Contents,
    Delays,
    Fault,
    Faults,
    FileWorld,
    MemoryWorld,
    Outside,
    SimulatedCloud,
    Uptime,
    When,
    World,
    WorldClock,
)
from puddle.server.products.simulated import Play, SimulatedProduct
from puddle.testing.clock import HandClock

__all__ = [
    "ALWAYS",
    "Contents",
    "Delays",
    "Fault",
    "Faults",
    "FileWorld",
    "HandClock",
    "MemoryWorld",
    "Outside",
    "Play",
    "SimulatedCloud",
    "SimulatedProduct",
    "Uptime",
    "When",
    "World",
    "WorldClock",
]
