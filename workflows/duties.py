"""What takes two people from stage `live` on, superusers included, and the way round it that everybody sees.

Who wrote a version does not make it active; nobody makes themselves the owner in somebody's place; who edited an item does
not give its second approval. Where no second person is there, the glass is broken: with a reason, on record, told to the
owner and the deputy by mail, and shown on the workflow's page. The rules stand here alone; doors ask them.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q, QuerySet

from workflows import audit
from workflows.access import Action, people_who_may
from workflows.errors import InvalidInput, NotPermitted
from workflows.models import (
    BreakGlass,
    Brief,
    Decision,
    Field,
    Item,
    Rule,
    Stage,
    Version,
    Workflow,
)
from workflows.people import system_user
from workflows.storable import storable

FROM_LIVE_ON = frozenset({Stage.LIVE, Stage.PAUSED, Stage.RETIRED})
MOST_REASON = 300
MOST_NAMED = 3


def takes_two(workflow: Workflow) -> bool:
    """From its first launch on, for good: a way back to the trial and out again would be a way round."""
    return workflow.stage in FROM_LIVE_ON or (workflow.pk is not None and workflow.launches.exists())


# --- who wrote a version does not make it active


def authors_of(version: Version) -> set[int]:
    """Whoever wrote any of it: began it, or changed it, a field or a rule of it."""
    first, *others = (
        rows.order_by().values_list("history_user", flat=True)
        for rows in (
            Version.history.filter(id=version.pk), Field.history.filter(version_id=version.pk),
            Rule.history.filter(version_id=version.pk),
        )
    )  # fmt: skip
    known = {version.author_id, *first.union(*others).order_by("history_user")}
    return {pk for pk in known if pk is not None}


def may_activate(*, version: Version, workflow: Workflow, by: Any) -> bool:
    """Without breaking the glass. `by` None is the command line, which wrote what the system user wrote."""
    return not takes_two(workflow) or (by or system_user()).pk not in authors_of(version)


def others_who_may_activate(*, version: Version, workflow: Workflow) -> list[str]:
    """User names of people who manage it and wrote none of it; a few."""
    sees = people_who_may(action=Action.VIEW, workflow=workflow).order_by().values("pk")
    able = people_who_may(action=Action.MANAGE, workflow=workflow).filter(pk__in=sees)
    names = able.exclude(pk__in=authors_of(version)).order_by("username").values_list("username", flat=True)
    return list(names.distinct()[:MOST_NAMED])


def check_activation(*, version: Version, workflow: Workflow, by: Any, reason: str) -> BreakGlass | None:
    """Raises InvalidInput where somebody else has to, and no reason was given. In the transaction of the act."""
    if may_activate(version=version, workflow=workflow, by=by):
        return None
    if not reason.strip():
        others = others_who_may_activate(version=version, workflow=workflow)
        whom = (
            f"Ask {_listed(others)}. If that cannot wait"
            if others
            else "Nobody else manages this workflow, so breaking the glass is the way here. If it has to be now"
        )
        raise InvalidInput(
            f"You wrote version {version.number} and the workflow went live, so somebody else who manages it makes it active. "
            f"Nothing was changed. {whom}, break the glass: give a reason, which is kept, shown here, and mailed to owner and deputy."
        )
    return break_glass(
        workflow=workflow,
        act=BreakGlass.Act.ACTIVATE,
        by=by,
        reason=reason,
        what=f"version {version.number}",
    )


# --- nobody makes themselves the owner


def refusal_of_owner(*, workflow: Workflow, to: Any, by: Any) -> str:
    """In words, why `by` does not make `to` the owner; empty: they may. `workflow` as it is stored."""
    owner = workflow.owner
    if by is None or (to.pk if to else None) == workflow.owner_id:
        return ""
    held = owner is not None and owner.is_active
    if to is None:
        if not held or (owner is not None and owner.pk == by.pk and not takes_two(workflow)):
            return ""
        return "Name another owner: somebody answers for a workflow."
    if to.pk != by.pk:
        return ""
    if held:
        return f"{_name(owner)} owns it. The owner hands it over, or somebody else names you; you do not name yourself."
    if takes_two(workflow):
        return "The workflow went live, so somebody else names its owner; you do not name yourself."
    return ""


def check_owner(*, workflow: Workflow, to: Any, by: Any, reason: str = "") -> BreakGlass | None:
    """Raises InvalidInput where it takes somebody else, and no reason was given. In the transaction of the change."""
    said = refusal_of_owner(workflow=workflow, to=to, by=by)
    if not said:
        return None
    if not reason.strip() or to is None:
        raise InvalidInput(
            f"{said} Nothing was changed. If nobody can, break the glass: give a reason, which is kept, shown on the page, "
            "and mailed to the owner and the deputy."
            if to is not None
            else f"{said} Nothing was changed.",
            problems={"owner": said},
        )
    before = f", before: {workflow.owner.get_username()}" if workflow.owner else ""
    return break_glass(
        workflow=workflow,
        act=BreakGlass.Act.OWNER,
        by=by,
        reason=reason,
        what=f"owner: {to.get_username()}{before}",
    )


# --- who edited does not give the second approval


def editors_of(item: Item) -> set[int]:
    """Whoever changed a value of it in a decision of theirs."""
    edits = Decision.objects.filter(item=item).filter(Q(kind=Decision.Kind.EDIT) | ~Q(changed=[]))
    return set(edits.order_by().values_list("by", flat=True))


def may_give_second(*, item: Item, by: AbstractBaseUser) -> bool:
    """Without breaking the glass. Nobody is asked whether they are a superuser."""
    return not takes_two(item.workflow) or by.pk not in editors_of(item)


def check_second(*, item: Item, by: AbstractBaseUser, reason: str = "") -> BreakGlass | None:
    """Raises NotPermitted where somebody else has to, and no reason was given. In the transaction of the decision."""
    if may_give_second(item=item, by=by):
        return None
    if not reason.strip():
        raise NotPermitted(
            "You edited this item, so somebody else gives the second approval. Nothing was decided. "
            "If nobody can, break the glass: give a reason, which is kept and mailed to the owner and the deputy."
        )
    return break_glass(
        workflow=item.workflow,
        act=BreakGlass.Act.SECOND,
        by=by,
        reason=reason,
        what=f"item {item.public_id}",
    )


# --- the way round


def break_glass(*, workflow: Workflow, act: BreakGlass.Act, by: Any, reason: str, what: str) -> BreakGlass:
    """The one place where it is written. In the transaction of the act; the mail follows by itself."""
    reason = storable(reason).strip()
    if len(reason) > MOST_REASON:
        said = f"The reason has {len(reason)} characters; {MOST_REASON} can be kept. Nothing was changed."
        raise InvalidInput(said, problems={"reason": said})
    broken = BreakGlass.objects.create(
        workflow=workflow, act=act, by=by, reason=reason, what=what[:200], tell=_to_tell(workflow)
    )
    audit.record(
        kind=audit.Kind.GLASS_BROKEN, by=by, workflow=workflow, facts={"act": str(act)},
        content={"reason": reason, "what": broken.what},
    )  # fmt: skip
    return broken


def _to_tell(workflow: Workflow) -> list[int]:
    """Owner and deputy as they are before the act, so that who takes a workflow over does not choose who hears of it."""
    deputy = Brief.objects.filter(workflow=workflow).values_list("deputy", flat=True).first()
    owner = Workflow.objects.filter(pk=workflow.pk).values_list("owner", flat=True).first()
    return [pk for pk in dict.fromkeys((owner, deputy)) if pk is not None]


def broken_lately(*, workflow: Workflow, most: int = 5) -> QuerySet[BreakGlass]:
    return BreakGlass.objects.filter(workflow=workflow).select_related("by")[:most]


def _name(person: Any) -> str:
    return str(person.get_full_name() or person.get_username())


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
