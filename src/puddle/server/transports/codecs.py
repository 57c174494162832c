"""Messages as bytes: protobuf, or the JSON protobuf has for them. Both are served at the same path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError, Message

from puddle.server.errors import Invalid
from puddle.server.transports.refusals import wrong_type

Kind = TypeVar("Kind", bound=Message)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message of that kind that is encoded already, in protobuf, where concatenated parts are one message."""

    kind: type[Message]
    body: bytes


@dataclass(frozen=True, slots=True)
class Codec:
    """A content type. `read` raises Invalid where bytes are no such message."""

    content_type: bytes
    read: Callable[[type[Message], bytes], Message]
    write: Callable[[Message | Encoded], bytes]


def codec_of(content_type: bytes | None) -> Codec:
    """Return the codec of a Content-Type header."""
    found = _CODECS.get(content_type or b"")
    if found is None:
        named = (content_type or b"").partition(b";")[0].strip().lower()
        found = _CODECS.get(named)
    if found is None:
        raise wrong_type((content_type or b"").decode("latin-1"))
    return found


def _from_proto(kind: type[Message], body: bytes) -> Message:
    try:
        message = kind.FromString(body)
    except DecodeError:
        raise Invalid("body", f"is a {kind.DESCRIPTOR.name} in protobuf") from None
    if b"\0" in body:  # also a number may have that byte, so look closer
        _refuse_nul(message)
    return message


def _from_json(kind: type[Message], body: bytes) -> Message:
    message = kind()
    if not body.lstrip().startswith(b"{"):  # an empty list would pass for an empty message
        raise Invalid("body", f"is a {kind.DESCRIPTOR.name} in JSON, which is an object")
    try:
        Parse(body, message)
    except (ParseError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Invalid("body", f"is a {kind.DESCRIPTOR.name} in JSON: {_first_line(error)}") from None
    if b"\\u0000" in body:
        _refuse_nul(message)
    return message


def _to_proto(message: Message | Encoded) -> bytes:
    return message.body if isinstance(message, Encoded) else message.SerializeToString()


def _to_json(message: Message | Encoded) -> bytes:
    if isinstance(message, Encoded):
        message = message.kind.FromString(message.body)
    return MessageToJson(message, indent=None, ensure_ascii=False).encode()


def _first_line(error: Exception) -> str:
    """Return what is wrong without quoting much of what came, which may be a secret in the wrong place."""
    line = str(error).partition("\n")[0]
    return line if len(line) <= 120 and isinstance(error, ParseError) else "it cannot be read"


def _refuse_nul(message: Message) -> None:
    """Refuse NUL in texts: PostgreSQL stores none, and no text of ours has one."""
    for name, text in _texts(message):
        if "\0" in text:
            raise Invalid(name, "has no NUL characters")


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        if field.type not in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE}:
            continue
        for each in value if field.is_repeated else (value,):
            if isinstance(each, Message):
                yield from _texts(each)
            else:
                yield field.name, each


PROTO = Codec(b"application/proto", _from_proto, _to_proto)
JSON = Codec(b"application/json", _from_json, _to_json)
_CODECS: Mapping[bytes, Codec] = {PROTO.content_type: PROTO, JSON.content_type: JSON}
