from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImageEncoderArgs(_message.Message):
    __slots__ = ("format",)
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    format: str
    def __init__(self, format: _Optional[str] = ...) -> None: ...

class MachineParameters(_message.Message):
    __slots__ = ("num_cpus", "num_load_workers", "num_save_workers", "gpu_ids")
    NUM_CPUS_FIELD_NUMBER: _ClassVar[int]
    NUM_LOAD_WORKERS_FIELD_NUMBER: _ClassVar[int]
    NUM_SAVE_WORKERS_FIELD_NUMBER: _ClassVar[int]
    GPU_IDS_FIELD_NUMBER: _ClassVar[int]
    num_cpus: int
    num_load_workers: int
    num_save_workers: int
    gpu_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, num_cpus: _Optional[int] = ..., num_load_workers: _Optional[int] = ..., num_save_workers: _Optional[int] = ..., gpu_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class SamplingArgs(_message.Message):
    __slots__ = ("sampling_function", "sampling_args")
    SAMPLING_FUNCTION_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_ARGS_FIELD_NUMBER: _ClassVar[int]
    sampling_function: str
    sampling_args: bytes
    def __init__(self, sampling_function: _Optional[str] = ..., sampling_args: _Optional[bytes] = ...) -> None: ...

class AllSamplerArgs(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StridedSamplerArgs(_message.Message):
    __slots__ = ("stride",)
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    stride: int
    def __init__(self, stride: _Optional[int] = ...) -> None: ...

class StridedRangeSamplerArgs(_message.Message):
    __slots__ = ("stride", "starts", "ends")
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    stride: int
    starts: _containers.RepeatedScalarFieldContainer[int]
    ends: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, stride: _Optional[int] = ..., starts: _Optional[_Iterable[int]] = ..., ends: _Optional[_Iterable[int]] = ...) -> None: ...

class GatherSamplerArgs(_message.Message):
    __slots__ = ("samples",)
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    samples: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, samples: _Optional[_Iterable[int]] = ...) -> None: ...

class SpaceRepeatSamplerArgs(_message.Message):
    __slots__ = ("spacing",)
    SPACING_FIELD_NUMBER: _ClassVar[int]
    spacing: int
    def __init__(self, spacing: _Optional[int] = ...) -> None: ...

class SpaceNullSamplerArgs(_message.Message):
    __slots__ = ("spacing",)
    SPACING_FIELD_NUMBER: _ClassVar[int]
    spacing: int
    def __init__(self, spacing: _Optional[int] = ...) -> None: ...

class StridedPartitionerArgs(_message.Message):
    __slots__ = ("stride", "group_size")
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    GROUP_SIZE_FIELD_NUMBER: _ClassVar[int]
    stride: int
    group_size: int
    def __init__(self, stride: _Optional[int] = ..., group_size: _Optional[int] = ...) -> None: ...

class StridedRangePartitionerArgs(_message.Message):
    __slots__ = ("stride", "starts", "ends")
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    stride: int
    starts: _containers.RepeatedScalarFieldContainer[int]
    ends: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, stride: _Optional[int] = ..., starts: _Optional[_Iterable[int]] = ..., ends: _Optional[_Iterable[int]] = ...) -> None: ...

class GatherPartitionerArgs(_message.Message):
    __slots__ = ("groups",)
    class GatherList(_message.Message):
        __slots__ = ("samples",)
        SAMPLES_FIELD_NUMBER: _ClassVar[int]
        samples: _containers.RepeatedScalarFieldContainer[int]
        def __init__(self, samples: _Optional[_Iterable[int]] = ...) -> None: ...
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[GatherPartitionerArgs.GatherList]
    def __init__(self, groups: _Optional[_Iterable[_Union[GatherPartitionerArgs.GatherList, _Mapping]]] = ...) -> None: ...
