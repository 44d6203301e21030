"""A version as forms: its instructions, fields, rules, examples and model; read back as one checked `VersionPart`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from pydantic import ValidationError as PydanticError

from integrations.llm.profiles import Profile
from workflows.admin import typed_lines
from workflows.admin.profile_form import ProfileForm
from workflows.drafting.fields import FieldSpec
from workflows.models import Field, Operator, Rule, Version
from workflows.version_parts import VersionPart
from workflows.version_rows import said_of
from workflows.version_words import KINDS

LINES = {"class": "cs-lines", "spellcheck": "false"}
KIND_CHOICES = [(kind.value, words) for kind, words in KINDS.items()]


class HeadForm(forms.Form):
    instructions = forms.CharField(
        label="Instructions", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 8}),
        help_text="What the model is told about this work, in your own words.",
    )  # fmt: skip
    review_bar = forms.DecimalField(
        label="Review bar", min_value=0, max_value=1, decimal_places=2, max_digits=3,
        help_text="A field whose signal is below it is to be checked.",
    )  # fmt: skip
    max_calls = forms.IntegerField(label="Most calls of the model for one draft", min_value=1, max_value=50)


class RowForm(forms.Form):
    position = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def is_blank(self) -> bool:
        return all(self.cleaned_data.get(name) in (None, "", False) for name in self.written)

    written: tuple[str, ...] = ()


class FieldForm(RowForm):
    written = ("label", "key", "hint", "choices", "columns")

    label = forms.CharField(label="Label", required=False, max_length=80)
    kind = forms.ChoiceField(label="Kind", choices=KIND_CHOICES)
    required = forms.BooleanField(label="Required", required=False)
    sensitive = forms.BooleanField(label="Sensitive", required=False)
    needs_evidence = forms.BooleanField(label="Needs evidence", required=False, initial=True)
    hint = forms.CharField(
        label="Hint", required=False, max_length=400, help_text="What to look for, in words for the model."
    )
    choices = forms.CharField(
        label="Choices", required=False, widget=forms.Textarea(attrs={"rows": 4, **LINES}),
        help_text="One a line: quote: Quote — asks what something costs",
    )  # fmt: skip
    columns = forms.CharField(
        label="Columns", required=False, widget=forms.Textarea(attrs={"rows": 4, **LINES}),
        help_text="One a line: amount: Amount — amount of money, required — without tax",
    )  # fmt: skip
    minimum = forms.DecimalField(label="From", required=False)
    maximum = forms.DecimalField(label="To", required=False)
    max_length = forms.IntegerField(
        label="At most, characters or rows", required=False, min_value=1, max_value=20_000
    )
    key = forms.CharField(
        label="Name in data", required=False, max_length=63, help_text="Empty: made from the label."
    )

    def is_detailed(self) -> bool:
        """Whether more than the first line of it is in use, so that it is shown open."""
        return bool(self.errors) or any(self[name].value() for name in ("choices", "columns"))


class RuleForm(RowForm):
    written = ("field", "value", "reason")

    def __init__(self, *args: Any, offered: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = dict(offered)
        # One that was typed in the same form is not stored yet.
        if self.is_bound and (typed := self.data.get(self.add_prefix("field"))):
            shown.setdefault(typed, typed.replace("_", " "))
        select: Any = self.fields["field"].widget
        select.choices = [("", "–"), *shown.items()]

    field = forms.CharField(label="Field", required=False, widget=forms.Select)
    operator = forms.ChoiceField(label="Test", choices=Operator.choices)
    value = forms.CharField(label="Value", required=False, max_length=500)
    action = forms.ChoiceField(label="Then", choices=Rule.Action.choices)
    reason = forms.CharField(label="Reason that people read", required=False, max_length=120)


class ExampleForm(RowForm):
    written = ("source", "values")

    source = forms.CharField(
        label="Source", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 8, **LINES})
    )
    values = forms.CharField(
        label="Right values", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 8, **LINES}),
        help_text="One a line, as the source writes them: Total: £240.00. Write “nothing” where there is none.",
    )  # fmt: skip


FieldRows = forms.formset_factory(FieldForm, extra=0, can_delete=True, max_num=60, absolute_max=80)
RuleRows = forms.formset_factory(RuleForm, extra=0, can_delete=True, max_num=100, absolute_max=120)
ExampleRows = forms.formset_factory(ExampleForm, extra=0, can_delete=True, max_num=20, absolute_max=30)


class VersionEditor:
    """The forms of one version. `part` after `is_valid()`; what is wrong stands at the row it is wrong in."""

    def __init__(self, *, version: Version, data: Any = None) -> None:
        self.version = version
        self.stored_fields = list(version.fields.all())
        self.stored_rules = list(version.rules.all())
        self.specs = version.specs()
        self.seal = _seal(version=version, fields=self.stored_fields, rules=self.stored_rules)
        self.data = data
        self.head = HeadForm(data, initial={
            "instructions": version.instructions, "review_bar": version.review_bar, "max_calls": version.max_calls,
        })  # fmt: skip
        self.profile = ProfileForm(data, profile=_profile(version))
        self.fields = FieldRows(data, prefix="fields", initial=[_of_field(one) for one in self.stored_fields])
        self.rules = RuleRows(
            data, prefix="rules", initial=[_of_rule(one) for one in self.stored_rules],
            form_kwargs={"offered": {spec.key: spec.label for spec in self.specs}},
        )  # fmt: skip
        self.examples = ExampleRows(
            data, prefix="examples", initial=[_of_example(one, self.specs) for one in version.examples or []]
        )
        self.part: VersionPart | None = None

    def is_stale(self) -> bool:
        """Somebody else saved the version since this form was opened."""
        return self.data is not None and self.data.get("seal", "") != self.seal

    def accept_stored(self) -> None:
        """Let the next save of what was typed replace what is stored now: whoever sends it was told."""
        if self.data is not None:
            self.data = self.data.copy()
            self.data["seal"] = self.seal

    def is_valid(self) -> bool:
        forms_ = (self.head, self.profile, self.fields, self.rules, self.examples)
        valid = [form.is_valid() for form in forms_]  # each of them, so that all complaints are shown at once
        if not all(valid):
            return False
        fields = self._read_fields()
        if self._wrong():
            return False
        specs = [self._spec(row, told) for row, told in fields]
        if self._wrong():
            return False
        known = [spec for spec in specs if spec is not None]
        rules = self._read_rules(known)
        examples = self._read_examples(known)
        if self._wrong():
            return False
        self._check(fields=fields, rules=rules, examples=examples)
        return not self._wrong()

    def _wrong(self) -> bool:
        return bool(
            self.head.errors or self.profile.errors
            or any(row.errors for rows in (self.fields, self.rules, self.examples) for row in _kept(rows))
        )  # fmt: skip

    def _read_fields(self) -> list[tuple[Any, dict[str, Any]]]:
        rows = _kept(self.fields)
        taken = [row.cleaned_data["key"].strip() for row in rows if row.cleaned_data["key"].strip()]
        before = {one.key: one for one in self.stored_fields}
        read = []
        for row in rows:
            given = row.cleaned_data
            key = given["key"].strip()
            if not given["label"].strip():
                row.add_error("label", "Name the field, or remove it.")
                continue
            if not key:
                key = typed_lines.key_from(given["label"], taken=taken)
                taken.append(key)
            told = {
                name: given[name]
                for name in (
                    "label",
                    "kind",
                    "required",
                    "sensitive",
                    "needs_evidence",
                    "hint",
                    "minimum",
                    "maximum",
                    "max_length",
                )
            }
            told["key"] = key
            stored = before.get(key)
            for name, reader in (
                ("choices", lambda text: typed_lines.read_choices(text)),
                (
                    "columns",
                    lambda text, stored=stored: typed_lines.read_columns(
                        text, before=stored.columns if stored else ()
                    ),
                ),
            ):
                # What another kind had is left out, so that changing the kind is enough.
                fits = given["kind"] in (("choice", "choices") if name == "choices" else ("rows",))
                try:
                    told[name] = reader(given[name]) if fits else []
                except ValueError as error:
                    row.add_error(name, str(error))
            read.append((row, told))
        return read

    def _spec(self, row: Any, told: dict[str, Any]) -> FieldSpec | None:
        try:
            return FieldSpec.model_validate(told)
        except PydanticError as error:
            for each in error.errors(include_url=False):
                if each["loc"][:1] == ("key",):
                    row.add_error("key", "Use small letters, digits and underscores, with a letter first.")
                else:
                    row.add_error(None, said_of(each))
        return None

    def _read_rules(self, specs: Sequence[FieldSpec]) -> list[tuple[Any, dict[str, Any]]]:
        by_key = {spec.key: spec for spec in specs}
        read = []
        for row in _kept(self.rules):
            given = row.cleaned_data
            always = given["operator"] == Operator.ALWAYS
            key = "" if always else given["field"]
            if not always and key not in by_key:
                row.add_error("field", "Choose the field it looks at.")
                continue
            needs_none = given["operator"] in (Operator.ALWAYS, Operator.IS_EMPTY, Operator.IS_SET)
            before = row.initial.get("stored")
            try:
                value = None if needs_none else typed_lines.read_rule_value(
                    given["value"], operator=given["operator"], spec=by_key.get(key), before=before
                )  # fmt: skip
            except ValueError as error:
                row.add_error("value", str(error))
                continue
            read.append((row, {
                "field": key, "operator": given["operator"], "value": value, "action": given["action"],
                "reason": given["reason"],
            }))  # fmt: skip
        return read

    def _read_examples(self, specs: Sequence[FieldSpec]) -> list[tuple[Any, dict[str, Any]]]:
        read = []
        for row in _kept(self.examples):
            before: Mapping[str, Any] = row.initial.get("stored", {})
            try:
                values = typed_lines.read_values(row.cleaned_data["values"], specs=specs, before=before)
            except ValueError as error:
                row.add_error("values", str(error))
                continue
            source = row.cleaned_data["source"].replace("\r\n", "\n")
            read.append((row, {"source": source, "values": values}))
        return read

    def _check(
        self, *, fields: list[tuple[Any, dict[str, Any]]], rules: list[tuple[Any, dict[str, Any]]],
        examples: list[tuple[Any, dict[str, Any]]],
    ) -> None:  # fmt: skip
        """The same rules as for an imported file; each complaint goes to the row it is about."""
        rows = {"fields": fields, "rules": rules, "examples": examples}
        head = self.head.cleaned_data
        try:
            self.part = VersionPart.model_validate({
                "instructions": head["instructions"].replace("\r\n", "\n"), "review_bar": head["review_bar"],
                "max_calls": head["max_calls"], "profile": self.profile.cleaned_data["profile"],
                **{name: [told for _, told in each] for name, each in rows.items()},
            })  # fmt: skip
        except PydanticError as error:
            for each in error.errors(include_url=False):
                where = each["loc"]
                if len(where) > 1 and where[0] in rows and isinstance(where[1], int):
                    row = rows[str(where[0])][where[1]][0]
                    blank = where[-1] == "reason" and each["type"] == "string_too_short"
                    row.add_error(None, "Write the reason that people will read." if blank else said_of(each))
                else:
                    self.head.add_error(None, said_of(each))


def _kept(rows: Any) -> list[Any]:
    """In the order on the screen, without those removed and those left blank."""
    kept = [
        (row.cleaned_data.get("position"), number, row)
        for number, row in enumerate(rows.forms)
        if hasattr(row, "cleaned_data") and not row.cleaned_data.get("DELETE") and not row.is_blank()
    ]
    return [row for _, _, row in sorted(kept, key=lambda one: (one[0] is None, one[0] or 0, one[1]))]


def _profile(version: Version) -> Profile:
    try:
        return version.model_profile()
    except PydanticError:
        return Profile()


def _of_field(field: Field) -> dict[str, Any]:
    def number(value: Any) -> Any:
        return None if value is None else f"{value.normalize():f}"

    return {
        "position": field.position, "label": field.label, "key": field.key, "kind": field.kind, "hint": field.hint,
        "required": field.required, "sensitive": field.sensitive, "needs_evidence": field.needs_evidence,
        "choices": typed_lines.choice_lines(field.choices), "columns": typed_lines.column_lines(field.columns),
        "minimum": number(field.minimum), "maximum": number(field.maximum), "max_length": field.max_length,
    }  # fmt: skip


def _of_rule(rule: Rule) -> dict[str, Any]:
    return {
        "position": rule.position, "field": rule.field, "operator": rule.operator, "action": rule.action,
        "value": typed_lines.rule_value_text(rule.value), "reason": rule.reason, "stored": rule.value,
    }  # fmt: skip


def _of_example(example: Mapping[str, Any], specs: Sequence[FieldSpec]) -> dict[str, Any]:
    values = example.get("values") or {}
    return {
        "source": example.get("source", ""), "values": typed_lines.value_lines(values=values, specs=specs), "stored": values,
    }  # fmt: skip


def _seal(*, version: Version, fields: Sequence[Field], rules: Sequence[Rule]) -> str:
    told = [
        version.instructions, version.examples, str(version.review_bar), version.profile, version.max_calls,
        *(_of_field(one) for one in fields), *(_of_rule(one) for one in rules),
    ]  # fmt: skip
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]
