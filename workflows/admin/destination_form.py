"""A destination as a form: one field for each setting of its kind, so that nobody writes JSON."""

from __future__ import annotations

from typing import Any

from django import forms

from integrations.connectors.base import connector, kinds, parse_config
from workflows.models import Destination
from workflows.outbox import REGISTER

NUMBERS = (int, float)


def kind_told(kind: str) -> str:
    if kind == REGISTER:
        return "Register"
    return connector(kind).label if kind in kinds() else kind


class DestinationForm(forms.ModelForm):  # type: ignore[type-arg]
    """Every kind's settings stand in it as `webhook-url`; those of the chosen kind are read."""

    kind = forms.ChoiceField(
        label="Kind", choices=lambda: [(kind, kind_told(kind)) for kind in (REGISTER, *kinds())]
    )

    class Meta:
        model = Destination
        fields = ("workflow", "kind", "name", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.config if isinstance(self.instance.config, dict) else {}
        if self.instance.pk:
            # Its deliveries were addressed to it as it is: another kind or workflow is another destination.
            del self.fields["workflow"], self.fields["kind"]
        self.settings = {
            kind: list(connector(kind).Config.model_fields)
            for kind in ([self.instance.kind] if self.instance.pk else kinds())
            if kind in kinds()
        }
        for kind, names in self.settings.items():
            for name in names:
                self.fields[f"{kind}-{name}"] = _field_of(kind=kind, name=name, stored=stored)

    def groups(self) -> list[tuple[str, str, list[Any]]]:
        """(kind, its name, its bound fields), for the template."""
        return [
            (kind, kind_told(kind), [self[f"{kind}-{name}"] for name in names])
            for kind, names in self.settings.items()
        ]

    def plain(self) -> list[Any]:
        return [self[name] for name in self.fields if "-" not in name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = self.instance.kind if self.instance.pk else cleaned.get("kind")
        if not kind or kind == REGISTER or kind not in self.settings:
            self.instance.configure({} if kind == REGISTER else self.instance.config)
            return cleaned
        model = connector(kind).Config
        config = {}
        for name in self.settings[kind]:
            value = cleaned.get(f"{kind}-{name}")
            if value not in (None, ""):
                config[name] = value
        try:
            read = parse_config(kind=kind, config=config)
        except ValueError as error:
            self._place(kind=kind, said=str(error), model=model)
        else:
            self.instance.configure(read.model_dump(mode="json", exclude_defaults=True))
        return cleaned

    def _place(self, *, kind: str, said: str, model: Any) -> None:
        """The words begin with the title of the setting they are about."""
        for name, info in model.model_fields.items():
            if said.startswith(f"{info.title}:"):
                self.add_error(
                    f"{kind}-{name}", said.partition(": ")[2].capitalize() if said.count(": ") == 1 else said
                )
                return
        self.add_error(None, said)


def _field_of(*, kind: str, name: str, stored: dict[str, Any]) -> forms.Field:
    info = connector(kind).Config.model_fields[name]
    value = stored.get(name, None if info.is_required() else info.get_default(call_default_factory=True))
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    made: forms.Field = (
        forms.FloatField(widget=forms.TextInput(attrs={"inputmode": "decimal"}))
        if info.annotation in NUMBERS
        else forms.CharField(max_length=4000)
    )
    # Required for its own kind alone; the config model says so.
    made.required, made.label, made.initial = False, info.title or name.replace("_", " "), value
    return made
