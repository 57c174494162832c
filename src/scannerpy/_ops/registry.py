"""Every op this process knows, by name.

Registration is global, as decorators need it. A name belongs to the definition that took it; the same definition may be
registered again (a notebook cell run twice, a module reloaded), another one may not. The built-in ops of
`scannerpy.ops` give way: a program's own ``Histogram`` wins over ours, whichever was imported first.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from scannerpy._ops.signature import KernelSpec, OpSignature
from scannerpy.common import DeviceType
from scannerpy.errors import RegistrationError, UnknownOp

BUILT_IN = "scannerpy.ops"
CAFFE = ("Caffe", "CPM2", "FasterRCNN", "Facenet", "OpenPose")
"""How the names of ops begin that ran on Caffe."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an op is defined: tells a definition that is run again from a second one of the same name."""

    module: str
    qualname: str

    @property
    def is_built_in(self) -> bool:
        """Whether this is one of our own ops, which give way to a program's."""
        return self.module == BUILT_IN or self.module.startswith(BUILT_IN + ".")

    def is_same(self, other: Origin) -> bool:
        """Whether `other` is this definition, run again: in a notebook, or local to a function of the same module."""
        passing = self.module == "__main__" or "<locals>" in self.qualname + other.qualname
        return self == other or (passing and self.module == other.module)

    def __str__(self) -> str:
        return f"{self.module}.{self.qualname}"


python_ops: dict[str, OpSignature] = {}
_origins: dict[str, Origin] = {}
_registrations: dict[str, int] = {}


def register(signature: OpSignature, origin: Origin) -> OpSignature:
    """Add an op; returns it with its unique id.

    Raises RegistrationError when another definition has its name.
    """
    name = signature.name
    taken = _origins.get(name)
    if taken is not None and origin.is_built_in and not taken.is_built_in:
        return python_ops[name]
    if taken is not None and not taken.is_built_in and not taken.is_same(origin):
        raise RegistrationError(
            f"op {name!r} of {origin} cannot be registered: {taken} has that name; "
            f"choose another with @register_python_op(name=…)"
        )
    count = _registrations[name] = _registrations.get(name, 0) + 1
    python_ops[name] = replace(signature, unique_id=f"{origin}#{count}")
    _origins[name] = origin
    return python_ops[name]


def add_kernel(name: str, device: DeviceType, kernel: KernelSpec) -> OpSignature:
    """Give a registered op a kernel for `device`; raises UnknownOp when there is no such op."""
    signature = python_ops.get(name)
    if signature is None:
        raise UnknownOp(f"no op is called {name!r}: register it with Client.register_op before its kernel")
    kernels: Mapping[DeviceType, KernelSpec] = {**signature.kernels, device: kernel}
    python_ops[name] = replace(signature, kernels=kernels)
    return python_ops[name]


def find(name: str) -> OpSignature | None:
    """The op called `name`, or None."""
    return python_ops.get(name)


def lookup(name: str) -> OpSignature:
    """The op called `name`; raises UnknownOp, with the nearest names."""
    signature = find(name)
    if signature is None:
        raise unknown(name)
    return signature


def names() -> list[str]:
    """All registered names, sorted."""
    return sorted(python_ops)


def unknown(name: str) -> UnknownOp:
    """The error for a name that nobody registered."""
    if name.startswith(CAFFE):
        return UnknownOp(
            f"no op is called {name!r}: those that ran on Caffe are gone, as Caffe is. Export the model to ONNX and "
            "give it to cl.ops.DetectObjects or cl.ops.MTCNNDetectFaces, or run it in an op of your own"
        )
    lowered = {known.lower(): known for known in names()}
    near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=3)]
    hint = f"did you mean {' or '.join(near)}? If not, register" if near else "register"
    return UnknownOp(
        f"no op is called {name!r}: {hint} it with @scannerpy.register_python_op, "
        "import the module that does, or load its library with Client.load_op"
    )
