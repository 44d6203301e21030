"""Calls of the API as a client makes them."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from workflows.api_keys import create_api_key
from workflows.models import Workflow


class Caller:
    def __init__(self, *, workflow: Workflow, user: Any) -> None:
        self.row, self.key = create_api_key(workflow=workflow, user=user)
        self.workflow = workflow
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {self.key}"}

    def submit(
        self,
        *,
        slug: str = "",
        idempotency_key: str = "",
        files: tuple[tuple[str, bytes], ...] = (),
        **fields: Any,
    ) -> Any:
        headers = self.headers | ({"Idempotency-Key": idempotency_key} if idempotency_key else {})
        uploads = [SimpleUploadedFile(name, content) for name, content in files]
        body = fields | ({"files": uploads} if uploads else {})
        return self.client.post(
            f"/api/v1/workflows/{slug or self.workflow.slug}/items", body, headers=headers
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def list(self, **query: Any) -> Any:
        return self.get(f"workflows/{self.workflow.slug}/items", **query)
