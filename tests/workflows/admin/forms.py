"""What a browser would send: every control of a form on a page, as it stands there."""

from __future__ import annotations

from typing import Any

from workflows.admin.version_forms import VersionEditor
from workflows.models import Version


def posted(version: Version, **changes: Any) -> dict[str, Any]:
    """The form of a version, sent back as it came, with these controls changed; None takes one away."""
    editor = VersionEditor(version=Version.objects.get(pk=version.pk))
    sent: dict[str, Any] = {"seal": editor.seal}
    forms = [editor.head, editor.profile]
    for rows in (editor.fields, editor.rules, editor.examples):
        forms += [rows.management_form, *rows.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is True:
                sent[bound.html_name] = "on"
            elif value is not None and value is not False:
                sent[bound.html_name] = str(value)
    sent |= changes
    return {name: value for name, value in sent.items() if value is not None}


def added(sent: dict[str, Any], rows: str, **controls: Any) -> dict[str, Any]:
    """One more row, as the page's button adds it."""
    number = int(sent[f"{rows}-TOTAL_FORMS"])
    return {
        **sent, f"{rows}-TOTAL_FORMS": str(number + 1), f"{rows}-{number}-position": str(number),
        **{f"{rows}-{number}-{name}": value for name, value in controls.items()},
    }  # fmt: skip
