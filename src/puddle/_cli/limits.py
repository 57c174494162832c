"""`puddle limits`: what you have, what you may have, and what is left of it."""

from __future__ import annotations

from decimal import Decimal

import typer

from puddle._cli.login import authorizer, cloud
from puddle._cli.showing import AsJson, as_dict, money, show_all, show_json
from puddle.client import SystemsClient
from puddle.client.models.consumption import Allowance

_NO_LIMIT = 2**31 - 1


def limits(js: AsJson = False) -> None:
    """Show what you have, and what you and your groups may have: systems, compute units, and this month's budget."""
    found = SystemsClient(cloud(""), authorizer=authorizer()).get_cu_consumption_info()
    if js:
        show_json(as_dict(found._info))
        return
    columns = {
        "WHOSE": lambda it: it.whose,
        "SYSTEMS": lambda it: _of(it.systems, it.systems_limit),
        "RUNNING": lambda it: _of(it.running, it.running_limit),
        "CU": lambda it: _of(it.cu, it.cu_limit),
        "THIS MONTH": _spent,
    }
    show_all(found.allowances, columns, lambda it: it._info, js=False, none="This server does not tell limits.")
    if found.available_cu < _NO_LIMIT:
        typer.echo(f"Of everybody's compute units {found.available_cu} are left.")


def _of(there: int, most: int | None) -> str:
    return f"{there} of {most}" if most is not None else str(there)


def _spent(it: Allowance) -> str:
    told = money(str(it.cost_this_month))
    return told if it.budget_per_month is None else f"{told} of {money(str(Decimal(it.budget_per_month)))}"
