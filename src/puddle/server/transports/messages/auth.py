"""`AuthService`."""

from __future__ import annotations

from collections.abc import Mapping

from puddle.client.proto.v2 import auth_service_pb2 as pb
from puddle.client.proto.v2.common_pb2 import Empty
from puddle.server.api import Api
from puddle.server.domain.people import ApiKey, User
from puddle.server.transports.calls import Call, Function
from puddle.server.transports.messages.enums import ROLES


def user(found: User) -> pb.LoginUser:
    """Return a user as everybody may see themselves."""
    return pb.LoginUser(
        id=found.id,
        name=found.name,
        email=found.email,
        display_name=found.display_name,
        role=ROLES[found.role],
        groups=found.groups,
    )


def key(found: ApiKey, secret: str = "") -> pb.ApiKey:
    """Return a key; its secret only in the answer that made it."""
    return pb.ApiKey(
        id=found.id,
        name=found.name,
        secret=secret,
        created=found.created,
        expires=found.expires,
        last_used=found.last_used,
        revoked=found.revoked,
        user_id=found.user_id,
    )


def _login(api: Api, call: Call, message: pb.LoginRequest) -> pb.LoginResponse:
    made = api.logins.login(message.api_key_id, message.api_secret_key, call.address, call.request_id)
    return pb.LoginResponse(token=made.token, expires=made.expires, user=user(made.user))


def _logout(api: Api, call: Call, _message: Empty) -> Empty:
    api.logins.logout(call.caller, call.token)
    return Empty()


def _who_am_i(_api: Api, call: Call, _message: Empty) -> pb.LoginUser:
    return user(call.caller.user)


def _create_key(api: Api, call: Call, message: pb.CreateApiKeyRequest) -> pb.ApiKey:
    made, secret = api.logins.create_key(call.caller, message.name, message.valid_days, message.user_id)
    return key(made, secret)


def _keys(api: Api, call: Call, _message: Empty) -> pb.ListApiKeysResponse:
    return pb.ListApiKeysResponse(keys=[key(each) for each in api.logins.keys(call.caller)])


def _revoke_key(api: Api, call: Call, message: pb.ApiKeyRequest) -> pb.ApiKey:
    return key(api.logins.revoke_key(call.caller, message.id))


METHODS: Mapping[str, Function] = {
    "AuthService/Login": _login,
    "AuthService/Logout": _logout,
    "AuthService/WhoAmI": _who_am_i,
    "AuthService/CreateApiKey": _create_key,
    "AuthService/ListApiKeys": _keys,
    "AuthService/RevokeApiKey": _revoke_key,
}
READS = frozenset({"AuthService/WhoAmI", "AuthService/ListApiKeys"})
