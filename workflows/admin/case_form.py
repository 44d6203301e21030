"""The form that takes a file of cases in, with the files that its rows name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from workflows.access import Action, visible
from workflows.evaluation.case_files import FORMATS, MOST_CHARACTERS
from workflows.models import Workflow

MOST_BYTES = 200 * 2**20  # of all files of one import, which are in memory together


class SeveralFiles(forms.FileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(SeveralFilesField, self).clean(one, initial) for one in data or []]


class CaseImportForm(forms.Form):
    workflow = forms.ModelChoiceField(
        queryset=Workflow.objects.none(),
        empty_label="Choose a workflow",
        error_messages={"required": "Choose the workflow they belong to."},
    )
    file = forms.FileField(
        label="File of cases",
        help_text="YAML or CSV, with one case for each row.",
        error_messages={"required": "Choose a .yaml or .csv file."},
    )
    inputs = SeveralFilesField(
        required=False,
        allow_empty_file=True,
        label="Files that its rows name",
        help_text="Mails, PDFs, scans. None is needed where each row has its text.",
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._found: dict[str, bytes | None] = {}
        choice: Any = self.fields["workflow"]
        choice.queryset = visible(user, Workflow.objects.order_by("name"), Action.MANAGE)

    def clean_file(self) -> tuple[str, str]:
        """Its text and its format."""
        file = self.cleaned_data["file"]
        format = {"yml": "yaml"}.get(
            end := file.name.rsplit(".", 1)[-1].lower(), end
        )  # a .yml is YAML as well
        if format not in FORMATS:
            raise forms.ValidationError("This is neither a .yaml nor a .csv file. Nothing was imported.")
        if file.size > 4 * MOST_CHARACTERS:
            raise forms.ValidationError("This file is too large. Nothing was imported. Split it.")
        try:
            return file.read().decode("utf-8-sig"), format
        except UnicodeDecodeError:
            raise forms.ValidationError(
                "This file is not in UTF-8. Nothing was imported. Save it as “CSV UTF-8” and choose it again."
            ) from None

    def clean_inputs(self) -> list[Any]:
        files: list[Any] = self.cleaned_data["inputs"]
        if sum(file.size for file in files) > MOST_BYTES:
            raise forms.ValidationError(
                f"The files have more than {MOST_BYTES // 2**20} MB together. Nothing was imported. Import them in several parts."
            )
        for file in files:
            if file.size > settings.MAX_FILE_BYTES:
                raise forms.ValidationError(
                    f"“{file.name}” is larger than {settings.MAX_FILE_BYTES // 2**20} MB. Nothing was imported."
                )
        return files

    def find(self, name: str) -> bytes | None:
        """Read once: rows that name the same file share its bytes."""
        if name not in self._found:
            self._found[name] = None
            for file in self.cleaned_data["inputs"]:
                if file.name == name:
                    file.seek(0)
                    self._found[name] = file.read()
                    break
        return self._found[name]
