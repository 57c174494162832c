from scannerpy.proto.scanner.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Result(_message.Message):
    __slots__ = ("success", "msg")
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    MSG_FIELD_NUMBER: _ClassVar[int]
    success: bool
    msg: str
    def __init__(self, success: _Optional[bool] = ..., msg: _Optional[str] = ...) -> None: ...

class VideoDescriptor(_message.Message):
    __slots__ = ("table_id", "column_id", "item_id", "frames", "width", "height", "channels", "frame_type", "codec_type", "chroma_format", "time_base_num", "time_base_denom", "num_encoded_videos", "frames_per_video", "keyframes_per_video", "size_per_video", "keyframe_indices", "sample_offsets", "sample_sizes", "metadata_packets", "data_path", "inplace")
    class VideoCodecType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        H264: _ClassVar[VideoDescriptor.VideoCodecType]
        RAW: _ClassVar[VideoDescriptor.VideoCodecType]
        HEVC: _ClassVar[VideoDescriptor.VideoCodecType]
        OTHER: _ClassVar[VideoDescriptor.VideoCodecType]
    H264: VideoDescriptor.VideoCodecType
    RAW: VideoDescriptor.VideoCodecType
    HEVC: VideoDescriptor.VideoCodecType
    OTHER: VideoDescriptor.VideoCodecType
    class VideoChromaFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        YUV_420: _ClassVar[VideoDescriptor.VideoChromaFormat]
        YUV_422: _ClassVar[VideoDescriptor.VideoChromaFormat]
        YUV_444: _ClassVar[VideoDescriptor.VideoChromaFormat]
        UNKNOWN: _ClassVar[VideoDescriptor.VideoChromaFormat]
    YUV_420: VideoDescriptor.VideoChromaFormat
    YUV_422: VideoDescriptor.VideoChromaFormat
    YUV_444: VideoDescriptor.VideoChromaFormat
    UNKNOWN: VideoDescriptor.VideoChromaFormat
    TABLE_ID_FIELD_NUMBER: _ClassVar[int]
    COLUMN_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    FRAME_TYPE_FIELD_NUMBER: _ClassVar[int]
    CODEC_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHROMA_FORMAT_FIELD_NUMBER: _ClassVar[int]
    TIME_BASE_NUM_FIELD_NUMBER: _ClassVar[int]
    TIME_BASE_DENOM_FIELD_NUMBER: _ClassVar[int]
    NUM_ENCODED_VIDEOS_FIELD_NUMBER: _ClassVar[int]
    FRAMES_PER_VIDEO_FIELD_NUMBER: _ClassVar[int]
    KEYFRAMES_PER_VIDEO_FIELD_NUMBER: _ClassVar[int]
    SIZE_PER_VIDEO_FIELD_NUMBER: _ClassVar[int]
    KEYFRAME_INDICES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_OFFSETS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SIZES_FIELD_NUMBER: _ClassVar[int]
    METADATA_PACKETS_FIELD_NUMBER: _ClassVar[int]
    DATA_PATH_FIELD_NUMBER: _ClassVar[int]
    INPLACE_FIELD_NUMBER: _ClassVar[int]
    table_id: int
    column_id: int
    item_id: int
    frames: int
    width: int
    height: int
    channels: int
    frame_type: _types_pb2.FrameType
    codec_type: VideoDescriptor.VideoCodecType
    chroma_format: VideoDescriptor.VideoChromaFormat
    time_base_num: int
    time_base_denom: int
    num_encoded_videos: int
    frames_per_video: _containers.RepeatedScalarFieldContainer[int]
    keyframes_per_video: _containers.RepeatedScalarFieldContainer[int]
    size_per_video: _containers.RepeatedScalarFieldContainer[int]
    keyframe_indices: _containers.RepeatedScalarFieldContainer[int]
    sample_offsets: _containers.RepeatedScalarFieldContainer[int]
    sample_sizes: _containers.RepeatedScalarFieldContainer[int]
    metadata_packets: bytes
    data_path: str
    inplace: bool
    def __init__(self, table_id: _Optional[int] = ..., column_id: _Optional[int] = ..., item_id: _Optional[int] = ..., frames: _Optional[int] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., channels: _Optional[int] = ..., frame_type: _Optional[_Union[_types_pb2.FrameType, str]] = ..., codec_type: _Optional[_Union[VideoDescriptor.VideoCodecType, str]] = ..., chroma_format: _Optional[_Union[VideoDescriptor.VideoChromaFormat, str]] = ..., time_base_num: _Optional[int] = ..., time_base_denom: _Optional[int] = ..., num_encoded_videos: _Optional[int] = ..., frames_per_video: _Optional[_Iterable[int]] = ..., keyframes_per_video: _Optional[_Iterable[int]] = ..., size_per_video: _Optional[_Iterable[int]] = ..., keyframe_indices: _Optional[_Iterable[int]] = ..., sample_offsets: _Optional[_Iterable[int]] = ..., sample_sizes: _Optional[_Iterable[int]] = ..., metadata_packets: _Optional[bytes] = ..., data_path: _Optional[str] = ..., inplace: _Optional[bool] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("id", "name", "type", "type_name")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_NAME_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    type: _types_pb2.ColumnType
    type_name: str
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., type: _Optional[_Union[_types_pb2.ColumnType, str]] = ..., type_name: _Optional[str] = ...) -> None: ...

class TableDescriptor(_message.Message):
    __slots__ = ("id", "name", "columns", "end_rows", "job_id", "timestamp")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    END_ROWS_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    columns: _containers.RepeatedCompositeFieldContainer[Column]
    end_rows: _containers.RepeatedScalarFieldContainer[int]
    job_id: int
    timestamp: int
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., columns: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., end_rows: _Optional[_Iterable[int]] = ..., job_id: _Optional[int] = ..., timestamp: _Optional[int] = ...) -> None: ...

class DatabaseDescriptor(_message.Message):
    __slots__ = ("next_table_id", "next_bulk_job_id", "tables")
    class Table(_message.Message):
        __slots__ = ("id", "name", "committed")
        ID_FIELD_NUMBER: _ClassVar[int]
        NAME_FIELD_NUMBER: _ClassVar[int]
        COMMITTED_FIELD_NUMBER: _ClassVar[int]
        id: int
        name: str
        committed: bool
        def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., committed: _Optional[bool] = ...) -> None: ...
    NEXT_TABLE_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_BULK_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    next_table_id: int
    next_bulk_job_id: int
    tables: _containers.RepeatedCompositeFieldContainer[DatabaseDescriptor.Table]
    def __init__(self, next_table_id: _Optional[int] = ..., next_bulk_job_id: _Optional[int] = ..., tables: _Optional[_Iterable[_Union[DatabaseDescriptor.Table, _Mapping]]] = ...) -> None: ...

class BulkJobDescriptor(_message.Message):
    __slots__ = ("id", "name", "io_packet_size", "work_packet_size", "output_tables")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IO_PACKET_SIZE_FIELD_NUMBER: _ClassVar[int]
    WORK_PACKET_SIZE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TABLES_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    io_packet_size: int
    work_packet_size: int
    output_tables: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., io_packet_size: _Optional[int] = ..., work_packet_size: _Optional[int] = ..., output_tables: _Optional[_Iterable[str]] = ...) -> None: ...

class JobStatus(_message.Message):
    __slots__ = ("finished", "result", "tasks_done", "total_tasks", "jobs_done", "jobs_failed", "total_jobs", "num_workers", "failed_workers")
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    TASKS_DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TASKS_FIELD_NUMBER: _ClassVar[int]
    JOBS_DONE_FIELD_NUMBER: _ClassVar[int]
    JOBS_FAILED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_JOBS_FIELD_NUMBER: _ClassVar[int]
    NUM_WORKERS_FIELD_NUMBER: _ClassVar[int]
    FAILED_WORKERS_FIELD_NUMBER: _ClassVar[int]
    finished: bool
    result: Result
    tasks_done: int
    total_tasks: int
    jobs_done: int
    jobs_failed: int
    total_jobs: int
    num_workers: int
    failed_workers: int
    def __init__(self, finished: _Optional[bool] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., tasks_done: _Optional[int] = ..., total_tasks: _Optional[int] = ..., jobs_done: _Optional[int] = ..., jobs_failed: _Optional[int] = ..., total_jobs: _Optional[int] = ..., num_workers: _Optional[int] = ..., failed_workers: _Optional[int] = ...) -> None: ...
