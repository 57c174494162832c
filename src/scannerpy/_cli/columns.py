"""The facts that commands print about a stored column: its size, and of video its codec, rate and length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scannerpy._store.catalog import ColumnRecord, TableRecord
    from scannerpy.client import Client


def column_facts(client: Client, record: TableRecord, column: ColumnRecord) -> dict[str, Any]:
    """Describe a column; of one that is not committed only what it is to hold."""
    from scannerpy._client.database import INDEX_COLUMN

    numbers = record.source is not None and column.name == INDEX_COLUMN
    kind = "row numbers" if numbers else "frames" if column.is_video else "values"
    facts: dict[str, Any] = {"name": column.name, "kind": kind, "type": column.type_name}
    if not record.committed or numbers:
        return facts
    stored = client._stored_column(record, column.name)
    facts |= {"chunks": len(stored._refs), "size": sum(ref.bytes for ref in stored._refs)}
    return facts | _video_facts(stored) if column.is_video and record.rows else facts


def _video_facts(stored: Any) -> dict[str, Any]:
    frames = stored._frames()
    video = next((found for k, ref in enumerate(frames.refs) if ref.rows and (found := frames.video(k))), None)
    if video is None:
        height, width = next(iter(frames.read([0]))).shape[:2]
        return {"codec": "raw", "width": width, "height": height, "fps": 0.0, "duration": 0.0, "keyframes": frames.rows}
    index = video.index
    rate = float(index.average_rate)
    return {
        "codec": index.codec,
        "pixels": index.pix_fmt,
        "width": int(video.size[0]),
        "height": int(video.size[1]),
        "fps": rate,
        "duration": frames.rows / rate if rate else 0.0,
        "keyframes": len(stored.keyframes()),
        "in_place": video.external is not None,
    }
