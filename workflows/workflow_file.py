"""A workflow as a YAML file: exported, kept in version control, imported again. The format is `countersign/1`.

An import of what is there already changes nothing. Another content of the version makes a new version beside the old.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, Any, Literal, Self

import yaml
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from pydantic import Field, ValidationError, model_validator

from integrations.connectors.base import parse_config
from workflows.access import Action, grant, may
from workflows.brief_file import BriefPart, BudgetPart, brief_part_of, budget_part_of, set_brief, set_budget
from workflows.duties import check_owner, may_activate, takes_two
from workflows.errors import InvalidInput, NotPermitted
from workflows.models import TAKES_WORK, Destination, Stage, Version, Workflow
from workflows.outbox import REGISTER
from workflows.people import acting, system_user
from workflows.stages import set_stage
from workflows.version_parts import Line, Part, VersionPart, plain
from workflows.version_rows import make_active, make_version, part_of

FORMAT = "countersign/1"
MAX_CHARACTERS = 500_000
MOST_DIGITS = 400


class DestinationPart(Part):
    kind: Annotated[str, Field(max_length=20)]
    name: Annotated[Line, Field(min_length=1, max_length=80)]
    config: dict[str, Any] = {}

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if self.kind == REGISTER:
            if self.config:
                raise ValueError("the register has no settings")
            return self
        try:
            parse_config(kind=self.kind, config=self.config)
        except LookupError as error:
            raise ValueError(str(error)) from None
        return self


class WorkflowFile(Part):
    format: Literal["countersign/1"] = "countersign/1"
    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    name: Annotated[Line, Field(min_length=1, max_length=120)]
    purpose: Annotated[Line, Field(max_length=300)] = ""
    stage: Stage = Stage.SETUP
    stage_reason: Annotated[Line, Field(max_length=300)] = ""
    owner: Annotated[Line, Field(max_length=150)] = ""
    reviewers: Annotated[Line, Field(max_length=150)] = ""
    escalation: Annotated[Line, Field(max_length=150)] = ""
    review_due_minutes: Annotated[int, Field(ge=1, le=525_600)] = 240
    escalation_due_minutes: Annotated[int, Field(ge=1, le=525_600)] = 1440
    hold_seconds: Annotated[int, Field(ge=0, le=2_592_000)] = 600
    version: VersionPart
    destinations: Annotated[tuple[DestinationPart, ...], Field(max_length=20)] = ()
    brief: BriefPart | None = None  # not in the file: what is written here stays
    budget: BudgetPart | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [(one.kind, one.name) for one in self.destinations]
        if len(set(names)) != len(names):
            raise ValueError("two destinations have the same kind and name")
        if not any(one.kind == REGISTER for one in self.destinations):
            # It is always there, written or not; saying so makes two files of the same workflow equal.
            register = DestinationPart(kind=REGISTER, name="Register")
            object.__setattr__(self, "destinations", (register, *self.destinations))
        return self


# --- text -> WorkflowFile


class _Loader(yaml.SafeLoader):
    """Plain YAML: no aliases, no key twice, dates stay text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            # A few of them nested make a file of a hundred bytes a structure of gigabytes.
            raise yaml.MarkedYAMLError(
                problem="an alias (*) is not read here",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        return super().compose_node(parent, index)

    def construct_yaml_int(self, node: Any) -> int:
        # Python does not write an integer of thousands of digits in words, so nobody could be told of it.
        if len(node.value) > MOST_DIGITS:
            raise yaml.MarkedYAMLError(
                problem=f"a number has more than {MOST_DIGITS} digits; in quotes it is a text",
                problem_mark=node.start_mark,
            )
        number: int = super().construct_yaml_int(node)
        return number

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                raise yaml.MarkedYAMLError(
                    problem="a key is one word or text, not a list", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"“{key.value}” is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


class NotYaml(Exception):
    """`place` and `said` tell a person where and why."""

    def __init__(self, *, place: str, said: str) -> None:
        self.place, self.said = place, said
        super().__init__(f"{place}: {said}")


def plain_yaml(*, text: str) -> Any:
    """Raises NotYaml."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, made stricter
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "the file"
        said = getattr(error, "problem", None) or "this is not YAML that can be read"
        raise NotYaml(place=place, said=str(said)) from None


def read_workflow_file(*, text: str) -> WorkflowFile:
    """Raises InvalidInput whose problems are keyed by the place in the file, in words."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(f"The file has more than {MAX_CHARACTERS:,} characters. Nothing was imported.")
    try:
        read = plain_yaml(text=text)
    except NotYaml as error:
        raise _refusal({error.place: error.said}) from None
    if not isinstance(read, dict):
        raise _refusal({"the file": f"it has to begin with “format: {FORMAT}”"})
    try:
        return WorkflowFile.model_validate(read)
    except ValidationError as error:
        problems: dict[str, str] = {}
        for each in error.errors(include_url=False):
            place = _place(loc=each["loc"], read=read)
            problems[place] = (
                f"{problems[place]}; {_in_words(each)}" if place in problems else _in_words(each)
            )
        raise _refusal(problems) from None


def _refusal(problems: dict[str, str]) -> InvalidInput:
    listed = " ".join(f"{place}: {said}." for place, said in problems.items())
    return InvalidInput(
        f"The workflow file cannot be imported, and nothing was changed. {listed}", problems=problems
    )


def _place(*, loc: tuple[Any, ...], read: Any) -> str:
    """("version", "fields", 2, "kind") -> "version, fields 3 (total), kind"."""
    words: list[str] = []
    here = read
    for step in loc:
        here = (
            here[step]
            if isinstance(here, dict) and step in here
            else here[step]
            if _has(here, step)
            else None
        )
        if isinstance(step, int) and words:
            name = next(
                (here[key] for key in ("key", "name", "reason") if isinstance(here, dict) and here.get(key)),
                "",
            )
            words[-1] += f" {step + 1}" + (f" ({name})" if name else "")
        else:
            words.append(str(step).replace("_", " "))
    return ", ".join(words) or "the file"


def _has(here: Any, step: Any) -> bool:
    return isinstance(here, list) and isinstance(step, int) and step < len(here)


def _in_words(error: Any) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "this has to be there"
        case "extra_forbidden":
            return "there is no such setting; look for a slip of the pen"
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            return f"this can be {context['expected']}"
        case "string_pattern_mismatch":
            return "this has characters that are not allowed here"
        case _:
            said = str(error["msg"])
            return said[:1].lower() + said[1:]


# --- WorkflowFile -> text


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def write_workflow_file(*, file: WorkflowFile) -> str:
    """Always the same text for the same content; what has its default value is left out."""
    told = {"format": FORMAT, **plain(file)}
    return yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def export_workflow(*, workflow: Workflow, version: Version | None = None) -> str:
    """The workflow with its active version, or with another one of its versions."""
    return write_workflow_file(file=file_of(workflow=workflow, version=version))


def file_of(*, workflow: Workflow, version: Version | None = None) -> WorkflowFile:
    version = version or workflow.version
    if version is None or version.workflow_id != workflow.pk:
        raise InvalidInput(f"{workflow.name} has no active version. Name the version to export.")
    return WorkflowFile(
        slug=workflow.slug, name=workflow.name, purpose=workflow.purpose, stage=Stage(workflow.stage),
        stage_reason=workflow.stage_reason, owner=workflow.owner.get_username() if workflow.owner else "",
        reviewers=workflow.reviewers.name if workflow.reviewers else "",
        escalation=workflow.escalation.name if workflow.escalation else "",
        review_due_minutes=workflow.review_due_minutes, escalation_due_minutes=workflow.escalation_due_minutes,
        hold_seconds=workflow.hold_seconds, version=part_of(version),
        destinations=tuple(
            DestinationPart(kind=one.kind, name=one.name, config=one.config)
            for one in workflow.destinations.filter(active=True).order_by("pk")
        ),
        brief=brief_part_of(workflow=workflow), budget=budget_part_of(workflow=workflow),
    )  # fmt: skip


# --- WorkflowFile -> rows


def import_workflow(*, text: str, by: Any = None, break_glass: str = "") -> tuple[Workflow, Version, bool]:
    """The workflow, the version that the file says, and whether anything changed. `by` None is the command line.

    Once the workflow went live, that version waits for somebody else to make it active, unless there is a reason to break the
    glass. A workflow that was paused or retired stays so, unless the file says why in words that it did not say before.
    Raises InvalidInput or NotPermitted, and nothing was written.
    """
    file = read_workflow_file(text=text)
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update(of=("self",)).filter(slug=file.slug).first()
        _may_import(workflow=workflow, file=file, by=by)
        actor = by or system_user()
        made = workflow is None
        workflow = workflow or Workflow(slug=file.slug)
        changed = _set_columns(workflow=workflow, file=file, by=by)
        if made and by is not None:
            for action in (Action.VIEW, Action.MANAGE, Action.ACCESS):
                grant(action=action, workflow=workflow, to=by, by=by)
        version = workflow.version
        if version is None or part_of(version) != file.version:
            version = _waiting(workflow=workflow, part=file.version)
            if version is None:
                version = make_version(workflow=workflow, part=file.version, by=actor, why="Imported")
                changed = True
            if break_glass.strip() or may_activate(version=version, workflow=workflow, by=by):
                make_active(
                    version=version,
                    workflow=workflow,
                    by=by,
                    reason=break_glass,
                    why="imported and made active",
                )
                changed = True
        changed |= _set_destinations(workflow=workflow, parts=file.destinations, by=actor)
        if file.brief is not None:
            changed |= set_brief(workflow=workflow, part=file.brief, by=actor)
        if file.budget is not None:
            changed |= set_budget(workflow=workflow, part=file.budget, by=actor)
        # Last: the launch gate looks at all of the rest.
        before = (workflow.stage, workflow.stage_reason)
        if not stays_closed(workflow=workflow, file=file):
            workflow = set_stage(
                workflow=workflow, stage=file.stage, by=by, reason=file.stage_reason, way="import"
            )
        changed |= before != (workflow.stage, workflow.stage_reason)
    return workflow, version, changed


def _waiting(*, workflow: Workflow, part: VersionPart) -> Version | None:
    """The newest version, when it says the same: a file that is imported twice makes one version that waits, not two."""
    newest = workflow.versions.order_by("-number").first()
    try:
        return newest if newest is not None and part_of(newest) == part else None
    except ValidationError:
        return None


def stays_closed(*, workflow: Workflow, file: WorkflowFile) -> bool:
    """Somebody paused or retired it, and the file that opens it is older than that: its reason was said before, or it has none."""
    if file.stage not in TAKES_WORK or workflow.stage not in (Stage.PAUSED, Stage.RETIRED):
        return False
    said = workflow.history.filter(stage_reason=file.stage_reason).exists()
    return said or not file.stage_reason or workflow.launches.filter(reason=file.stage_reason).exists()


def _may_import(*, workflow: Workflow | None, file: WorkflowFile, by: Any) -> None:
    if by is None:
        return
    allowed = by.has_perm("workflows.add_workflow") if workflow is None else may(by, Action.MANAGE, workflow)
    if not allowed:
        raise NotPermitted(
            f"You may not import “{file.slug}”. Nothing was changed. Ask whoever manages its access."
        )


def _set_columns(*, workflow: Workflow, file: WorkflowFile, by: Any) -> bool:
    """`by` None is the command line."""
    owner = get_user_model().objects.filter(username=file.owner).first() if file.owner else None
    if workflow.pk is not None:
        if owner is None and takes_two(workflow):
            owner = workflow.owner  # a file that names nobody known takes it from nobody
        check_owner(workflow=workflow, to=owner, by=by)
    wanted: dict[str, Any] = {
        "name": file.name, "purpose": file.purpose, "owner": owner, "reviewers": _group(file.reviewers), "escalation": _group(file.escalation),
        "review_due_minutes": file.review_due_minutes, "escalation_due_minutes": file.escalation_due_minutes,
        "hold_seconds": file.hold_seconds,
    }  # fmt: skip
    changed = workflow.pk is None or any(getattr(workflow, name) != value for name, value in wanted.items())
    if changed:
        for name, value in wanted.items():
            setattr(workflow, name, value)
        with acting(by=by or system_user(), why="Imported", on=workflow):
            workflow.save()
    return changed


def _group(name: str) -> Group | None:
    return Group.objects.get_or_create(name=name)[0] if name else None


def _save(row: Any, *, by: Any) -> None:
    with acting(by=by, why="Imported", on=row):
        row.save()


def _set_destinations(*, workflow: Workflow, parts: tuple[DestinationPart, ...], by: Any) -> bool:
    """One that is no longer in the file is switched off: its deliveries still point to it."""
    known = {(one.kind, one.name): one for one in workflow.destinations.order_by("-active", "-pk")}
    changed = False
    for part in parts:
        row = known.pop((part.kind, part.name), None) or Destination(
            workflow=workflow, kind=part.kind, name=part.name
        )
        if row.pk and row.active and row.config == part.config:
            continue
        row.configure(part.config)
        row.active, changed = True, True
        _save(row, by=by)
    for row in known.values():
        if row.active:
            row.active, changed = False, True
            _save(row, by=by)
    return changed
