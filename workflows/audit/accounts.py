"""Signing in and out, and what becomes of accounts and groups: Django tells of these by signals alone."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_save, pre_save

from workflows.audit.kinds import Kind
from workflows.audit.recording import Entry, record, record_many

FLAGS = ("is_active", "is_staff", "is_superuser")
WATCHED = (*FLAGS, "username", "password", "email")
LONGEST = 150


def watch_accounts() -> None:
    user = get_user_model()
    user_logged_in.connect(_signed_in, dispatch_uid="audit_signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit_signed_out")
    user_login_failed.connect(_failed, dispatch_uid="audit_sign_in_failed")
    m2m_changed.connect(_group_changed, sender=user.groups.through, dispatch_uid="audit_groups")
    pre_save.connect(_look_before, sender=user, dispatch_uid="audit_user_before")
    post_save.connect(_user_saved, sender=user, dispatch_uid="audit_user")


def _signed_in(*, request: Any, user: Any, **_: Any) -> None:
    record(kind=Kind.SIGNED_IN, by=user, content=_from(request))


def _signed_out(*, request: Any, user: Any, **_: Any) -> None:
    if user is not None:
        record(kind=Kind.SIGNED_OUT, by=user, content=_from(request))


def _failed(*, credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    """What was typed as a name may be a password in the wrong box: it is content."""
    typed = str(credentials.get("username") or credentials.get("login") or credentials.get("email") or "")[
        :LONGEST
    ]
    found = get_user_model().objects.filter(username=typed).first() if typed else None
    record(
        kind=Kind.SIGN_IN_FAILED, by=None, person=found, facts={"account": found.pk if found else None},
        content={"typed": typed, **_from(request)},
    )  # fmt: skip


def _from(request: Any) -> dict[str, str]:
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    return {"address": address} if address else {}


def _who() -> Any:
    """Whoever is signed in where the change is made; the history's middleware knows. None: the command line."""
    from simple_history.models import HistoricalRecords

    request = getattr(HistoricalRecords.context, "request", None)
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None


def _group_changed(*, instance: Any, action: str, pk_set: Any, reverse: bool, **_: Any) -> None:
    if action == "pre_clear":
        # What is cleared is not told afterwards.
        pks, kind = set(_other_side(instance, reverse)), Kind.GROUP_LEFT
    elif action in ("post_add", "post_remove"):
        pks, kind = pk_set or set(), Kind.GROUP_JOINED if action == "post_add" else Kind.GROUP_LEFT
    else:
        return
    if reverse:
        people, groups = list(get_user_model().objects.filter(pk__in=pks)), [instance]
    else:
        people, groups = [instance], list(Group.objects.filter(pk__in=pks))
    by = _who()
    record_many(
        [
            Entry(
                kind=kind, by=by, person=person, facts={"group": group.pk, "person": person.pk},
                content={"group": group.name, "person": person.get_username()},
            )
            for person in people
            for group in groups
        ]
    )  # fmt: skip


def _other_side(instance: Any, reverse: bool) -> Any:
    return (instance.user_set if reverse else instance.groups).values_list("pk", flat=True)


def _look_before(*, instance: Any, raw: bool, update_fields: Any, **_: Any) -> None:
    """What the row says now; nothing where what is saved cannot concern us, as the time of the last sign-in."""
    instance._audit_before = None
    if raw or not instance.pk or (update_fields is not None and not set(update_fields) & set(WATCHED)):
        return
    instance._audit_before = type(instance)._default_manager.filter(pk=instance.pk).values(*WATCHED).first()


def _user_saved(*, instance: Any, created: bool, raw: bool, **_: Any) -> None:
    before = instance.__dict__.pop("_audit_before", None)
    if raw:
        return
    changed = [] if before is None else [name for name in WATCHED if before[name] != getattr(instance, name)]
    if not created and not changed:
        return
    # Never the password, not even its hash.
    told = [name for name in changed if name != "password"]
    was = {"before": {name: before[name] for name in told}} if before is not None and told else {}
    record(
        kind=Kind.USER_CHANGED, by=_who(), person=instance,
        facts={
            "person": instance.pk, "made": created, "changed": changed, **{name: getattr(instance, name) for name in FLAGS},
        },
        content={"username": instance.username, "email": instance.email, **was},
    )  # fmt: skip
