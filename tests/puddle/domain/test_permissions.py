"""Who may call what: the table is complete, and says what it should."""

from __future__ import annotations

import importlib
import itertools
import pkgutil

import pytest

from puddle.client.proto import v2
from puddle.client.proto.v2 import auth_service_pb2, report_service_pb2, system_service_pb2
from puddle.server.domain import permissions
from puddle.server.domain.people import Caller, Role, User
from puddle.server.domain.permissions import RULES, Access, authorize, authorize_object, may_call, rule
from puddle.server.errors import Denied, Missing, Unauthenticated

ADA = Caller(User(id="u1", name="ada", role=Role.USER))
BEA = Caller(User(id="u2", name="bea", role=Role.USER))
ADMIN = Caller(User(id="u3", name="root", role=Role.ADMIN))


def methods():
    """Every method of every service, read from the generated modules: name and descriptor."""
    found = {}
    for module in pkgutil.iter_modules(v2.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"{v2.__name__}.{module.name}").DESCRIPTOR
            for service in file.services_by_name.values():
                found.update({f"{service.name}/{method.name}": method for method in service.methods})
    return found


METHODS = methods()


class Plain:
    """A request with every field as it is by default."""

    def __init__(self, method):
        self._fields = {field.name: field.default_value for field in METHODS[method].input_type.fields}

    def __getattr__(self, name):
        return self._fields[name]


def test_every_method_has_one_rule_and_every_rule_a_method():
    assert len(METHODS) > 50
    assert sorted(METHODS) == sorted(RULES)


@pytest.mark.parametrize(("method", "role"), list(itertools.product(sorted(METHODS), [None, *Role])))
def test_a_call_passes_exactly_where_the_table_lets_it(method, role):
    caller = {None: None, Role.USER: ADA, Role.ADMIN: ADMIN}[role]
    passes = may_call(rule(method), role)
    if passes:
        return authorize(method, caller, Plain(method))
    with pytest.raises(Unauthenticated if role is None else Denied):
        authorize(method, caller, Plain(method))
    return None


def test_only_a_login_needs_no_login():
    assert [method for method in METHODS if may_call(rule(method), None)] == ["AuthService/Login"]


def test_what_is_for_administrators():
    """Read aloud once, so that a change of the table is a change here too."""
    shut = {method for method in METHODS if not may_call(rule(method), Role.USER)}
    assert shut == {
        "SystemService/FailSystem",
        *(f"ImageService/{name}" for name in ("ListImages", "GetImage", "BuildImage", "DeleteImage", "GetBuildLog")),
        *(f"InstanceTypeService/{verb}InstanceType" for verb in ("Create", "Update", "Delete")),
        "InstanceTypeService/ListInstanceTypes",
        *(f"TagService/{verb}Tag" for verb in ("Create", "Update", "Delete")),
        *(f"AdminService/{name}" for name in ("ListUsers", "CreateUser", "UpdateUser", "ListGroups", "SetGroupLimits")),
    }


def test_a_method_nobody_thought_of_is_closed():
    with pytest.raises(Denied, match="nobody is allowed"):
        authorize("SystemService/Surprise", ADMIN, object())


@pytest.mark.parametrize("method", sorted(method for method in RULES if RULES[method].widened))
def test_a_field_that_widens_is_there_and_its_usual_value_is_the_default(method):
    widened = RULES[method].widened
    assert METHODS[method].input_type.fields_by_name[widened.field].default_value == widened.usual
    assert widened.field in RULES[method].name


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("SystemService/ListSystems", system_service_pb2.ListSystemsRequest(scope=system_service_pb2.SCOPE_ALL)),
        ("SystemService/ListSystems", system_service_pb2.ListSystemsRequest(scope=7)),
        ("SystemService/WatchSystems", system_service_pb2.WatchSystemsRequest(scope=system_service_pb2.SCOPE_ALL)),
        ("ReportService/CreateReport", report_service_pb2.CreateReportRequest(everybody=True)),
        ("AuthService/CreateApiKey", auth_service_pb2.CreateApiKeyRequest(user_id="u2")),
    ],
)
def test_what_is_other_peoples_is_for_administrators(method, request_):
    authorize(method, ADMIN, request_)
    with pytest.raises(Denied, match="only an administrator may use"):
        authorize(method, ADA, request_)


def test_a_user_may_name_themselves():
    authorize("AuthService/CreateApiKey", ADA, auth_service_pb2.CreateApiKeyRequest(user_id="u1"))


def test_to_others_an_object_is_not_there():
    authorize_object("SystemService/GetSystem", ADA, "u1", "system", "sys-1")
    authorize_object("SystemService/GetSystem", ADMIN, "u1", "system", "sys-1")
    with pytest.raises(Missing, match="sys-1"):
        authorize_object("SystemService/GetSystem", BEA, "u1", "system", "sys-1")


@pytest.mark.parametrize("method", ["SystemService/GetCredentials", "SystemService/GetSshKey"])
def test_credentials_are_their_owners_and_no_administrators(method):
    assert rule(method).access is Access.OWNER_ALONE
    authorize_object(method, ADA, "u1", "system", "sys-1")
    for other in (BEA, ADMIN):
        with pytest.raises(Missing):
            authorize_object(method, other, "u1", "system", "sys-1")


def test_the_docs_have_a_line_for_each():
    assert permissions.as_markdown().count("\n") == len(RULES) + 2
