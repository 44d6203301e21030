"""The brief as a form, in groups; timed samples, an actual of the metric and a look back as small forms beside it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from pydantic import ValidationError

from workflows.admin.people_field import PersonField
from workflows.admin.workflow_form import people_address, people_around
from workflows.brief_file import MOST_TIMED, BriefPart
from workflows.briefs import COLUMNS
from workflows.models import Brief, FollowUp, Workflow
from workflows.storable import storable

EMPTY_ROWS = 4  # of timed samples, below those that are there
GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("The task", "task", ("task", "deputy")),
    ("How it is done today", "now", ("today", "breaks", "tools")),
    ("How much of it there is", "often", ("per_week_low", "per_week_high", "minutes_by_hand", "hour_cost")),
    ("What is at stake", "stake", ("when_late", "when_wrong", "stays_human", "next_step")),
    ("How success is measured", "metric", ("metric_name", "metric_unit", "metric_baseline", "metric_target", "metric_source")),
    ("For the people who review", "instructions", ("instructions",)),
    ("Looking back", "follow_up", ("follow_up_on",)),
)  # fmt: skip
LONG = ("today", "breaks", "tools", "when_late", "when_wrong", "stays_human", "next_step")


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class BriefForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Brief
        fields = tuple(name for name in COLUMNS if name != "timed")
        labels = {
            "task": "The task, in one sentence", "today": "How it is done without this", "breaks": "Where that breaks",
            "tools": "Tools and records", "per_week_low": "Items a week, at least", "per_week_high": "Items a week, at most",
            "minutes_by_hand": "Minutes by hand for one item", "hour_cost": "Cost of an hour",
            "when_late": "What happens when it is late", "when_wrong": "What happens when it is wrong",
            "stays_human": "What must stay human", "next_step": "The next step after the AI",
            "metric_name": "Metric", "metric_unit": "Unit", "metric_baseline": "Baseline: what it is today",
            "metric_target": "Target", "metric_source": "Where its actuals come from",
            "instructions": "How to review these items", "follow_up_on": "Look back on",
        }  # fmt: skip
        help_texts = {
            "deputy": "Answers for it when the owner is away. Somebody who may see its items.",
            "minutes_by_hand": "As somebody states it. Two timed items below, or more, count instead of it.",
            "instructions": "Shown beside every item in review. What to look at, what to do when something is missing, whom to ask.",
            "follow_up_on": "On this day the owner is asked what came of it.",
        }  # fmt: skip
        widgets = {
            **{name: forms.Textarea(attrs={"rows": 2}) for name in LONG}, "task": forms.Textarea(attrs={"rows": 2}),
            "instructions": forms.Textarea(attrs={"rows": 7}), "follow_up_on": Day(),
            **{
                name: forms.TextInput(attrs={"inputmode": "decimal"})
                for name in ("per_week_low", "per_week_high", "minutes_by_hand", "hour_cost", "metric_baseline", "metric_target")
            },
        }  # fmt: skip

    def __init__(self, *args: Any, workflow: Workflow, by: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        before = self.fields["deputy"]
        self.fields["deputy"] = PersonField(
            queryset=people_around(workflow=workflow, by=by, also=self.instance.deputy_id), required=False,
            search=people_address(workflow, "deputy"), label=before.label, help_text=f"User name. {before.help_text}",
        )  # fmt: skip
        self.owner_id = workflow.owner_id
        self.was_on = self.instance.follow_up_on
        self.fields["hour_cost"].help_text = f"In {currency}: wages and what comes on top of them."
        for name in ("minutes_by_hand", "metric_baseline", "metric_target", "hour_cost"):
            if (value := self.initial.get(name)) is not None:
                self.initial[name] = f"{Decimal(value).normalize():f}"

    def groups(self) -> list[tuple[str, str, list[Any]]]:
        """(heading, anchor, its fields), for the template."""
        return [(title, anchor, [self[name] for name in names]) for title, anchor, names in GROUPS]

    def clean_deputy(self) -> Any:
        deputy = self.cleaned_data.get("deputy")
        if deputy is not None and deputy.pk == self.owner_id:
            raise forms.ValidationError("This is the owner. A deputy is somebody else.")
        return deputy

    def clean_follow_up_on(self) -> date | None:
        on: date | None = self.cleaned_data.get("follow_up_on")
        if on is not None and on != self.was_on and on <= timezone.localdate():
            raise forms.ValidationError("Choose a day to come.")
        return on

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        low, high = cleaned.get("per_week_low"), cleaned.get("per_week_high")
        if low is not None and high is not None and low > high:
            self.add_error("per_week_high", "This is less than “at least”.")
        self._fits_a_file(cleaned)
        return cleaned

    def _fits_a_file(self, cleaned: dict[str, Any]) -> None:
        """What is kept here is exported and imported, so a workflow file's limits are this form's too."""
        names = [name for name in BriefPart.model_fields if name not in ("deputy", "timed")]
        for name in names:
            value = cleaned.get(name)
            if isinstance(value, str):
                value = cleaned[name] = storable(value).strip()
            if name in self.errors or value is None:
                continue
            try:
                BriefPart.model_validate({name: value})
            except ValidationError as wrong:
                self.add_error(name, _in_words(wrong.errors(include_url=False)[0]))


def _in_words(wrong: Any) -> str:
    bounds = wrong.get("ctx", {})
    match wrong["type"]:
        case "greater_than":
            return f"Enter more than {bounds['gt']:,}."
        case "less_than" | "less_than_equal":
            return f"Enter {bounds.get('le', bounds.get('lt')):,} at most."
        case "string_too_long":
            return f"Write {bounds['max_length']:,} characters at most."
        case "string_pattern_mismatch":
            return "Write it on one line."
    return "This cannot be kept. Write it in another way."


class TimedForm(forms.Form):
    what = forms.CharField(label="Which item", max_length=120, required=False)
    minutes = forms.DecimalField(
        label="Minutes", required=False, min_value=Decimal("0.01"), max_value=10_000, max_digits=7, decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("what") and cleaned.get("minutes") is None and "minutes" not in self.errors:
            self.add_error("minutes", "Enter its minutes, or empty the line.")
        if cleaned.get("minutes") is not None and not cleaned.get("what"):
            self.add_error("what", "Say which item was timed.")
        return cleaned


TimedRows = forms.formset_factory(TimedForm, extra=EMPTY_ROWS, max_num=MOST_TIMED, validate_max=True)


def timed_rows(*, brief: Brief, sent: Any = None) -> Any:
    return TimedRows(sent, initial=brief.timed, prefix="timed")


def timed_of(rows: Any) -> list[dict[str, str]]:
    """An emptied line is gone."""
    return [
        {"what": one["what"], "minutes": format(one["minutes"], "f")}
        for one in (form.cleaned_data for form in rows.forms)
        if one.get("what")
    ]


class ActualForm(forms.Form):
    day = forms.DateField(label="Day", widget=Day())
    value = forms.DecimalField(
        label="Value", max_digits=12, decimal_places=3, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )


class FollowUpForm(forms.Form):
    findings = forms.CharField(
        label="What was found", widget=forms.Textarea(attrs={"rows": 4}), max_length=20_000,
        help_text="Was it worth it, beside what was expected? What went wrong, and what is to change?",
    )  # fmt: skip
    decision = forms.ChoiceField(label="What comes of it", choices=FollowUp.Decision.choices)
    next_on = forms.DateField(
        label="Look back again on", required=False, widget=Day(), help_text="Empty: not again."
    )
