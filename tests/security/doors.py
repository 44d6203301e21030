"""Every address there is, found from the resolver, with the hidden rows' ids in it. Nothing here is listed by hand but what
a parameter of an address means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver

from tests.security.secret_workflow import Secret
from workflows.access import PATHS


@dataclass(frozen=True)
class Door:
    """`row`: one of the hidden rows stands in the address. `model` is the admin's, as app.model, where it has one."""

    name: str
    address: str
    row: bool
    model: str = ""

    @property
    def is_api(self) -> bool:
        return self.address.startswith("/api/")

    @property
    def is_admin(self) -> bool:
        return self.address.startswith("/admin/")


# What a parameter stands for, by its name. `object_id`, `pk` and `id` are the row of the admin's model.
PARAMETERS: dict[str, Callable[[Secret, str], Any]] = {
    "source_id": lambda secret, model: secret.rows[model].sources.get().pk,
    "try_id": lambda secret, model: secret.attempt.pk,
    "delivery_id": lambda secret, model: secret.rows["workflows.delivery"].pk,
    "number": lambda secret, model: 1,
    "width": lambda secret, model: 1000,
    "version_id": lambda secret, model: last_history(secret.rows[model]),
    "content_type_id": lambda secret, model: ContentType.objects.get_for_model(secret.item).pk,
    "item_id": lambda secret, model: secret.item.public_id,
    "slug": lambda secret, model: secret.workflow.slug,
    "app_label": lambda secret, model: "workflows",
    "url": lambda secret, model: f"workflows/item/{secret.item.pk}",
    "rest": lambda secret, model: f"item/{secret.item.public_id}",
}
# Parameters that name no row of a workflow.
NO_ROWS = {
    "help_chapter": {"slug": "reviewers"}, "app_list": {"app_label": "workflows"},
    "account_first_password": {"uidb64": "MQ", "token": "set-password"},
    "openid_connect_login": {"provider_id": "none"}, "openid_connect_callback": {"provider_id": "none"},
}  # fmt: skip
# The row in the address is of another model than the admin's.
OTHER_ROWS = {
    "view_on_site": "workflows.item", "account_end_session": "usersessions.usersession",
    "mfa_remove_webauthn": "mfa.authenticator", "mfa_edit_webauthn": "mfa.authenticator",
}  # fmt: skip
# The row that an act on an item goes through, where the item of `rows` has none.
OWN_ROWS = {"workflows_item_delivery": lambda secret: secret.rows["workflows.delivery"].item_id}

HOLE = re.compile(r"<(?:[a-z_]+:)?([a-z_]+)>|\(\[\^/\]\+\)|\(\?P<([a-z_]+)>[^)]*\)")


def doors(secret: Secret) -> list[Door]:
    return [_door(secret, route, pattern) for route, pattern in _walk(get_resolver(), "/")]


def _walk(resolver: URLResolver, before: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, route)
        else:
            yield route, pattern


def _door(secret: Secret, route: str, pattern: URLPattern) -> Door:
    model = _model_of(route)
    unnamed = iter(("object_id", "version_id"))  # of simple-history's address
    name = pattern.name or route
    row = False

    def fill(hole: re.Match[str]) -> str:
        nonlocal row
        parameter = hole[1] or hole[2] or next(unnamed)
        if (fixed := NO_ROWS.get(name, {}).get(parameter)) is not None:
            return fixed
        row = True
        if parameter in ("object_id", "pk", "id"):
            if name in OWN_ROWS:
                return str(OWN_ROWS[name](secret))
            label = OTHER_ROWS.get(name, model)
            assert label in secret.rows, f"{route}: give {label or 'it'} a row in secret_workflow.py"
            return str(secret.rows[label].pk)
        assert parameter in PARAMETERS, (
            f"{route}: say in doors.py which hidden row <{parameter}> leads to, or that it leads to none"
        )
        return str(PARAMETERS[parameter](secret, model))

    return Door(name=name, address=HOLE.sub(fill, route), row=row, model=model)


def _model_of(route: str) -> str:
    parts = route.strip("/").split("/")
    return ".".join(parts[1:3]) if parts[0] == "admin" and len(parts) > 2 and "<" not in parts[1] else ""


def last_history(row: Any) -> int:
    kept = getattr(type(row), "history", None)
    found = kept.filter(id=row.pk).first() if kept is not None else None
    return found.pk if found else 1


def addresses(secret: Secret) -> dict[str, str]:
    """The admin's addresses of the rows of workflows, and of reports, by the name of the URL."""
    found = {
        one.name: one.address for one in doors(secret)
        if (one.model in PATHS and not one.name.startswith("/")) or one.name.startswith("reports")
    }  # fmt: skip
    evaluation = secret.rows["workflows.evaluation"]
    compare = f"{found['workflows_evaluation_change']}?with={evaluation.pk - 1}"
    return {**found, "workflows_evaluation_change, side by side": compare}
