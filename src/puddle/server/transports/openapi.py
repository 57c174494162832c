"""`/openapi.json`: the services as OpenAPI 3.1, made from their descriptors, for clients in any language and fuzzers.

Messages are described as the JSON protobuf has for them: lowerCamelCase names, 64-bit numbers as strings, enums by
name. Requests may use the names of the .proto files and plain numbers as well; that is protobuf's to know and left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor

from puddle.server.domain.permissions import RULES, Access
from puddle.server.transports.refusals import STATUS
from puddle.server.transports.table import described, path_of

Schema = dict[str, Any]

_INT64 = {"type": ["string", "integer"], "format": "int64", "pattern": "^-?[0-9]+$"}
_SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
}
_REFUSED = {
    "400": "an argument is invalid",
    "401": "the caller is not authenticated",
    "403": "the caller may not do that",
    "404": "there is no such object for this caller",
    "412": "the state of the object does not allow it, or a limit is reached",
    "413": "the request is too large",
    "415": "the body is neither protobuf nor JSON",
    "429": "too many calls",
}


@cache
def document(version: str) -> Mapping[str, Any]:
    """Return the description of everything that can be called; `version` is the server's."""
    schemas: dict[str, Schema] = {"Error": _error()}
    paths = {path_of(name): {"post": _operation(name, method, schemas)} for name, method in described()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Puddle",
            "version": version,
            "description": "Every method is a POST of one message, as application/json or application/proto.",
        },
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _security()},
    }


def _operation(name: str, method: MethodDescriptor, schemas: dict[str, Schema]) -> Schema:
    found = RULES[name]
    service, _, short = name.partition("/")
    stream = method.server_streaming
    answer = {"text/event-stream": {"schema": {"type": "string"}}} if stream else _content(method.output_type, schemas)
    if stream:
        _reference(method.output_type, schemas)
    told = "a stream of events, each a SystemEvent in JSON" if stream else f"a {method.output_type.name}"
    return {
        "operationId": f"{service}_{short}",
        "tags": [service],
        "summary": short,
        "description": f"For: {found.name}.{' Note: ' + found.note + '.' if found.note else ''}",
        "security": [] if found.access is Access.ANYONE else [{"token": []}, {"bearer": []}],
        "requestBody": {"required": True, "content": _content(method.input_type, schemas)},
        "responses": {"200": {"description": told, "content": answer}, **_refusals()},
    }


def _content(message: Descriptor, schemas: dict[str, Schema]) -> Schema:
    return {
        "application/json": {"schema": _reference(message, schemas)},
        "application/proto": {"schema": {"type": "string", "format": "binary"}},
    }


def _refusals() -> Schema:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    told = {status: {"description": sentence, "content": content} for status, sentence in _REFUSED.items()}
    return {**told, "default": {"description": "any other failure", "content": content}}


def _reference(message: Descriptor, schemas: dict[str, Schema]) -> Schema:
    if message.name not in schemas:
        schemas[message.name] = {}  # so that a message that holds itself ends
        schemas[message.name] = {
            "type": "object",
            "properties": {field.json_name: _field(field, schemas) for field in message.fields},
            "additionalProperties": False,
        }
    return {"$ref": f"#/components/schemas/{message.name}"}


def _field(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    one = _one(field, schemas)
    return {"type": "array", "items": one} if field.is_repeated else one


def _one(field: FieldDescriptor, schemas: dict[str, Schema]) -> Schema:
    if field.message_type is not None:
        return _reference(field.message_type, schemas)
    if field.enum_type is not None:
        return _enum(field.enum_type, schemas)
    return _SCALARS[field.type]


def _enum(enum: EnumDescriptor, schemas: dict[str, Schema]) -> Schema:
    schemas[enum.name] = {"type": "string", "enum": [value.name for value in enum.values]}
    return {"$ref": f"#/components/schemas/{enum.name}"}


def _error() -> Schema:
    text = {"type": "string"}
    meta = {
        "request_id": text,
        "reason": text,
        "field": text,
        "rule": text,
        "kind": text,
        "retry_after": {"type": "integer"},
        "limit": {"type": "integer"},
        "allowed_actions": {"type": "array", "items": text},
    }
    return {
        "type": "object",
        "required": ["code", "message", "meta"],
        "properties": {
            "code": {"type": "string", "enum": sorted(STATUS)},
            "message": text,
            "meta": {"type": "object", "properties": meta, "required": ["request_id", "reason", "allowed_actions"]},
        },
    }


def _security() -> Schema:
    return {
        "token": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Puddle-Token",
            "description": "what AuthService/Login gives for an API key; renewed in the header of the same name",
        },
        "bearer": {"type": "http", "scheme": "bearer", "description": "the same token"},
    }
