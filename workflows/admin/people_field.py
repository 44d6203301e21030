"""A person chosen by user name, with a search beside it: a list of two thousand names is no choice."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

MOST_FOUND = 12
FEWEST_LETTERS = 2


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """`queryset` says who may be named; everybody else is as unknown as a name that nobody has."""

    def __init__(self, *, queryset: QuerySet[Any], search: str = "", **kwargs: Any) -> None:
        super().__init__(
            queryset=queryset,
            to_field_name="username",
            widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 150, "data-people": search}),
            **kwargs,
        )
        self.error_messages["invalid_choice"] = "Nobody with this user name can be chosen here."

    def prepare_value(self, value: Any) -> Any:
        """A stored one comes as its key; what was typed comes as it is."""
        if isinstance(value, int):
            return get_user_model().objects.filter(pk=value).values_list("username", flat=True).first() or ""
        return super().prepare_value(value)


def found(*, people: QuerySet[Any], term: str) -> list[dict[str, str]]:
    """User names and names of those of `people` who fit; nobody before there are two letters."""
    term = term.strip()
    if len(term) < FEWEST_LETTERS:
        return []
    fits = Q()
    for word in term.split()[:4]:
        fits &= Q(username__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
    rows = people.filter(fits).order_by("username").values_list("username", "first_name", "last_name")
    return [{"username": name, "name": f"{first} {last}".strip()} for name, first, last in rows[:MOST_FOUND]]
