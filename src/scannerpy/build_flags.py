"""What a compiler needs to build a native library of ops. Not available yet: each function raises `NotSupported`.

Ops are written in Python with `register_python_op`; those that spend their time in C code (OpenCV, numpy, onnxruntime)
lose nothing by it.
"""

from __future__ import annotations

from typing import NoReturn

from scannerpy.errors import NotSupported

__all__ = [
    "get_cmake",
    "get_compile_flags",
    "get_include",
    "get_lib",
    "get_link_flags",
    "print_cmake",
    "print_compile_flags",
    "print_include",
    "print_lib",
    "print_link_flags",
]


def get_include() -> NoReturn:
    """Return the folder of the C header. Not available yet."""
    _later("get_include")


def get_lib() -> NoReturn:
    """Return the folder of the library to link with. Not available yet."""
    _later("get_lib")


def get_cmake() -> NoReturn:
    """Return the folder of the CMake module. Not available yet."""
    _later("get_cmake")


def get_compile_flags() -> NoReturn:
    """Return the compiler's flags. Not available yet."""
    _later("get_compile_flags")


def get_link_flags() -> NoReturn:
    """Return the linker's flags. Not available yet."""
    _later("get_link_flags")


def print_include() -> NoReturn:
    """Print `get_include`, for a Makefile. Not available yet."""
    get_include()


def print_lib() -> NoReturn:
    """Print `get_lib`, for a Makefile. Not available yet."""
    get_lib()


def print_cmake() -> NoReturn:
    """Print `get_cmake`, for a Makefile. Not available yet."""
    get_cmake()


def print_compile_flags() -> NoReturn:
    """Print `get_compile_flags`, for a Makefile. Not available yet."""
    get_compile_flags()


def print_link_flags() -> NoReturn:
    """Print `get_link_flags`, for a Makefile. Not available yet."""
    get_link_flags()


def _later(name: str) -> NoReturn:
    raise NotSupported(
        f"build_flags.{name}: native op libraries are not supported yet; write the op in Python with "
        "@register_python_op (cv2, numpy and onnxruntime release the interpreter lock)"
    )
