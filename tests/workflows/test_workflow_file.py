from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import Group
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import ADMIN, STAFF, make_user, make_workflow
from workflows.access import Action, may
from workflows.errors import Conflict, InvalidInput, NotPermitted
from workflows.models import Field, Launch, Operator, Rule, Stage, Version, Workflow
from workflows.workflow_file import export_workflow, import_workflow, read_workflow_file, write_workflow_file

pytestmark = pytest.mark.django_db

FILE = """
format: countersign/1
slug: supplier-invoices
name: Supplier invoices
purpose: Invoices become payables.
stage: live
stage_reason: "Opened by the owner"
owner: olga
reviewers: Invoice reviewers
escalation: Senior reviewers
version:
  instructions: |
    Read the invoice.
    Copy what is written.
  examples:
    - {source: "Total 5 EUR", values: {total: "5 EUR"}}
  fields:
    - {key: total, label: Total, kind: money, required: true, minimum: 0}
    - {key: due, label: Due date, kind: date}
    - {key: topic, label: Topic, kind: choice, choices: [{key: new, label: New}, {key: old}]}
    - {key: lines, label: Lines, kind: rows, columns: [{key: amount, label: Amount, kind: money}]}
  rules:
    - {operator: always, reason: "financial: always reviewed"}
    - {field: total, operator: above, value: "10000", action: escalate, reason: "a large amount"}
    - {field: due, operator: equals, value: 2026-11-30, reason: "due at the end of the month"}
  review_bar: 0.90
destinations:
  - {kind: webhook, name: Ledger, config: {url: "https://ledger.example/in", secret_env: LEDGER_SECRET}}
"""


def changed(**paths: Any) -> str:
    """The file with other values at places like `version__fields`."""
    read = yaml.safe_load(FILE)
    for path, value in paths.items():
        *way, last = path.split("__")
        here = read
        for step in way:
            here = here[step]
        here[last] = value
    return yaml.safe_dump(read)


def test_an_import_makes_the_workflow_its_groups_version_and_destinations() -> None:
    olga = make_user("olga")
    workflow, version, was_changed = import_workflow(text=FILE)

    assert was_changed
    assert workflow.version == version
    assert (workflow.owner, workflow.takes_work) == (olga, True)
    assert Group.objects.filter(name__in=("Invoice reviewers", "Senior reviewers")).count() == 2
    assert [field.key for field in version.fields.all()] == ["total", "due", "topic", "lines"]
    assert version.specs()[3].columns[0].kind == "money"
    assert [rule.operator for rule in version.rules.all()] == ["always", "above", "equals"]
    assert version.rules.last().value == "2026-11-30", "a date stays text"
    assert version.review_bar == Decimal("0.90")
    assert [one.kind for one in workflow.destinations.all()] == ["register", "webhook"]
    assert workflow.history.get(history_change_reason__contains="Version 1").history_user.username == "system"


def test_importing_the_same_content_again_changes_nothing() -> None:
    make_user("olga")
    workflow, version, _ = import_workflow(text=FILE)
    written = workflow.history.count()

    again, same, was_changed = import_workflow(text=FILE + "\n# a remark\n")

    assert (again, same, was_changed) == (workflow, version, False)
    assert (Version.objects.count(), workflow.history.count()) == (1, written)


def test_another_content_of_the_version_makes_a_new_one_beside_the_old() -> None:
    workflow, first, _ = import_workflow(text=FILE)
    Version.objects.update(used_at=timezone.now())

    Workflow.objects.update(stage=Stage.TRIAL)
    Launch.objects.all().delete()  # once it was live, the new one would wait for somebody else
    _, second, was_changed = import_workflow(
        text=changed(version__instructions="Read it twice.", stage="trial")
    )

    assert was_changed
    assert (first.number, second.number) == (1, 2)
    workflow.refresh_from_db()
    assert workflow.version == second
    assert Version.objects.get(pk=first.pk).instructions.startswith("Read the invoice.")


def test_a_change_of_people_or_times_makes_no_new_version() -> None:
    import_workflow(text=FILE)
    workflow, version, was_changed = import_workflow(text=changed(hold_seconds=60))
    assert (was_changed, version.number, workflow.hold_seconds) == (True, 1, 60)


def test_a_destination_that_left_the_file_is_switched_off() -> None:
    workflow, _, _ = import_workflow(text=FILE)
    import_workflow(text=changed(destinations=[]))
    assert list(workflow.destinations.values_list("kind", "active")) == [
        ("register", True),
        ("webhook", False),
    ]
    assert import_workflow(text=changed(destinations=[]))[2] is False


def test_importing_takes_the_permission_to_manage_what_is_there() -> None:
    workflow, _, _ = import_workflow(text=FILE)
    with pytest.raises(NotPermitted):
        import_workflow(text=changed(hold_seconds=1), by=make_user(can=STAFF, on=workflow))
    workflow.refresh_from_db()
    assert workflow.hold_seconds == 600
    assert import_workflow(text=changed(hold_seconds=1), by=make_user(can=ADMIN, on=workflow))[2]


def test_whoever_may_add_workflows_manages_the_one_they_imported() -> None:
    creator = make_user("creator")
    with pytest.raises(NotPermitted):
        import_workflow(text=FILE, by=creator)
    assert not Workflow.objects.exists()
    boss = make_user("boss", superuser=False)
    from django.contrib.auth.models import Permission

    boss.user_permissions.add(Permission.objects.get(codename="add_workflow"))
    workflow, _, _ = import_workflow(text=changed(stage="trial"), by=boss)
    assert may(boss, Action.MANAGE, workflow)
    assert may(boss, Action.ACCESS, workflow)


MISTAKES: list[tuple[str, str, str]] = [
    ("no YAML", "a: [", "line"),
    ("a list", "[]", "the file"),
    ("a key twice", FILE + "\nname: Again\n", "line"),
    ("an alias", "a: &a [1]\nb: *a\n", "line"),
    ("a Python object", "!!python/object/apply:os.system [ls]", "line"),
    ("an unknown setting", changed(colour="red"), "colour"),
    ("no fields", changed(version__fields=[]), "version"),
    ("an unknown kind", changed(version__fields=[{"key": "total", "label": "Total", "kind": "cash"}], version__rules=[], version__examples=[]), "version, fields 1 (total), kind"),
    ("a field twice", changed(version__fields=[{"key": "total", "label": "T"}, {"key": "total", "label": "U"}], version__rules=[], version__examples=[]), "version"),
    ("an unknown operator", changed(version__rules=[{"field": "total", "operator": "near", "reason": "r"}]), "version, rules 1 (r), operator"),
    ("an unknown rule setting", changed(version__rules=[{"operator": "always", "reason": "r", "weight": 1}]), "version, rules 1 (r), weight"),
    ("a rule on a missing field", changed(version__rules=[{"field": "tax", "operator": "is_set", "reason": "r"}]), "version"),
    ("a reason with an underscore", changed(version__rules=[{"operator": "always", "reason": "always_reviewed"}]), "version, rules 1 (always_reviewed), reason"),
    ("a rule without its value", changed(version__rules=[{"field": "total", "operator": "above", "reason": "r"}]), "version, rules 1 (r)"),
    ("a pattern that cannot be read", changed(version__rules=[{"field": "total", "operator": "matches", "value": "(", "reason": "r"}]), "version, rules 1 (r)"),
    ("an unknown destination", changed(destinations=[{"kind": "pigeon", "name": "P"}]), "destinations 1 (P)"),
    ("a wrong destination setting", changed(destinations=[{"kind": "webhook", "name": "W", "config": {"url": "ftp://x"}}]), "destinations 1 (W)"),
    ("a bar above one", changed(version__review_bar=1.5), "version, review bar"),
    ("a profile with a secret header", changed(version__profile={"parameters": {"extra_headers": {"Authorization": "x"}}}), "version, profile, parameters"),
    ("another format", changed(format="countersign/9"), "format"),
    ("a slug with a space", changed(slug="a b"), "slug"),
    ("a very large file", "#" * 500_001, ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "place"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_nothing_is_written(what: str, text: str, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        import_workflow(text=text)
    assert "nothing was" in str(refused.value).lower()
    if place == "line":
        assert next(iter(refused.value.problems)).startswith("line")
    elif place:
        assert list(refused.value.problems) == [place]
    assert (Workflow.objects.count(), Group.objects.count()) == (0, 0)


def test_a_mistake_in_a_known_workflow_leaves_it_as_it_was() -> None:
    workflow, version, _ = import_workflow(text=FILE)
    with pytest.raises(InvalidInput):
        import_workflow(
            text=changed(name="Other", version__rules=[{"field": "tax", "operator": "is_set", "reason": "r"}])
        )
    workflow.refresh_from_db()
    assert (workflow.name, workflow.version) == ("Supplier invoices", version)


def test_another_version_can_be_exported() -> None:
    workflow, first, _ = import_workflow(text=FILE)
    import_workflow(text=changed(version__instructions="Second."), break_glass="Nobody else is here")
    workflow.refresh_from_db()
    assert "Second." in export_workflow(workflow=workflow)
    assert "Read the invoice." in export_workflow(workflow=workflow, version=first)


def test_the_demo_workflows_can_be_imported() -> None:
    files = sorted(Path("fixtures").glob("*/workflow.yaml"))
    if not files:
        pytest.skip("no demo workflows here yet")
    for path in files:
        workflow, _, _ = import_workflow(text=path.read_text())
        assert import_workflow(text=path.read_text())[2] is False
        assert workflow.takes_work


LINES = (
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=40
    )
    .map(str.strip)
    .filter(bool)
)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=200
)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
REASONS = LINES.map(lambda text: text.replace("_", " ").strip()).filter(bool)
BOUNDS = st.none() | st.decimals(min_value=-(10**6), max_value=10**6, places=3).map(str)


@st.composite
def files(draw: Any) -> dict[str, Any]:
    keys = draw(st.lists(KEYS, min_size=1, max_size=4, unique=True))
    fields = [
        {
            "key": key, "label": draw(LINES), "hint": draw(LINES), "kind": draw(st.sampled_from(["text", "money", "date", "decimal"])),
            "required": draw(st.booleans()), "minimum": draw(BOUNDS), "max_length": draw(st.none() | st.integers(1, 500)),
        }
        for key in keys
    ]  # fmt: skip
    rules = [
        draw(
            st.one_of(
                st.fixed_dictionaries({"operator": st.just("always"), "reason": REASONS}),
                st.fixed_dictionaries({
                    "field": st.sampled_from(keys), "operator": st.sampled_from(["equals", "above", "contains"]), "reason": REASONS,
                    "value": st.one_of(LINES, st.integers(1, 10**9), st.booleans().filter(bool)), "action": st.sampled_from(["review", "escalate"]),
                }),
            )
        )
        for _ in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    return {
        "format": "countersign/1", "slug": draw(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)?", fullmatch=True).filter(lambda s: len(s) < 60)),
        "name": draw(LINES), "purpose": draw(LINES), "stage": "trial", "reviewers": draw(LINES), "hold_seconds": draw(st.integers(0, 1000)),
        "version": {
            "instructions": draw(TEXTS), "fields": fields, "rules": rules,
            "examples": [{"source": draw(TEXTS), "values": {keys[0]: draw(TEXTS | st.none())}}],
            "review_bar": draw(st.decimals(0, 1, places=2).map(str)), "max_calls": draw(st.integers(1, 50)),
        },
    }  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=files())
def test_an_export_of_an_import_is_the_file_again(content: dict[str, Any]) -> None:
    text = yaml.safe_dump(content, allow_unicode=True)
    normal = write_workflow_file(file=read_workflow_file(text=text))
    assert write_workflow_file(file=read_workflow_file(text=normal)) == normal

    workflow, _, _ = import_workflow(text=text)

    assert export_workflow(workflow=workflow) == normal
    assert import_workflow(text=normal)[2] is False


def test_a_version_that_was_used_cannot_be_changed_nor_its_fields_and_rules() -> None:
    version = make_workflow(rules=[{"operator": Operator.ALWAYS, "reason": "always"}]).version
    assert version is not None
    field, rule = version.fields.first(), version.rules.first()
    version.instructions = "Still open."
    version.save()
    Version.objects.filter(pk=version.pk).update(used_at=timezone.now())

    acts = [
        version.save, version.delete, field.save, field.delete, rule.save, rule.delete,
        lambda: Field.objects.create(version=version, key="more", label="More", kind="text"),
        lambda: Rule.objects.create(version=version, operator="always", reason="more"),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(Conflict, match="Make a new version"):
            act()
    assert (version.fields.count(), version.rules.count()) == (4, 1)


def test_a_field_cannot_leave_a_version_that_was_used() -> None:
    workflow = make_workflow()
    field = workflow.version.fields.first()
    other = Version.objects.create(workflow=workflow, number=2)
    Version.objects.filter(pk=workflow.version_id).update(used_at=timezone.now())
    field.version = other
    with pytest.raises(Conflict):
        field.save()
