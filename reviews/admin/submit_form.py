"""Submit work: paste a text, drop several files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from workflows.access import Action, visible
from workflows.intake import Upload
from workflows.models import Workflow


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(SeveralFilesField, self).clean(one, initial) for one in data or []]


class SubmitForm(forms.Form):
    workflow = forms.ModelChoiceField(
        queryset=Workflow.objects.none(),
        widget=UnfoldAdminSelectWidget,
        empty_label="Choose a workflow",
        error_messages={"required": "Choose the workflow it belongs to."},
    )
    title = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Leave it empty to take the subject, the file’s name or the first line.",
    )
    text = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget,
        help_text="Paste a mail, a note, a transcript.",
    )
    files = SeveralFilesField(
        required=False,
        help_text="Choose several or drop them here; all of them make one item.",
        allow_empty_file=True,
    )  # type: ignore[assignment]

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["workflow"]
        choice.queryset = visible(user, Workflow.objects.order_by("name"), Action.SUBMIT)

    def clean_files(self) -> list[Any]:
        files: list[Any] = self.cleaned_data["files"]
        # Sizes before contents: they must not stand in memory first.
        for file in files:
            if file.size > settings.MAX_FILE_BYTES:
                raise forms.ValidationError(
                    f"“{file.name}” is larger than {settings.MAX_FILE_BYTES // 2**20} MB. Choose a smaller copy of it."
                )
        return files

    def payload(self) -> dict[str, Any]:
        """What `workflows.intake.submit` takes, apart from who and how."""
        given = self.cleaned_data
        uploads = [
            Upload(name=file.name, content=file.read(), media_type=file.content_type or "")
            for file in given["files"]
        ]
        return {
            "workflow": given["workflow"],
            "title": given["title"],
            "text": given["text"],
            "files": uploads,
        }
