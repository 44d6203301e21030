"""Parcels and settings for the connectors, with the project's settings or without any."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings

from integrations.connectors.base import Parcel

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()

if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
    settings.configure(DEFAULT_FROM_EMAIL="countersign@office.example", USE_TZ=True)


def make_parcel(**changes: Any) -> Parcel:
    given: dict[str, Any] = {
        "key": "6f1f6c2e-3a55-4a52-9d5c-5f6f0a3f7f10",
        "item_id": "0b6f7a9e-5d0a-4c55-8f44-0a4c2f2f9a01",
        "title": "Invoice 2026-118 of Böhm & Söhne",
        "workflow": "supplier-invoices",
        "workflow_name": "Supplier invoices",
        "url": "https://desk.example/items/0b6f7a9e",
        "values": {
            "supplier": "Böhm & Söhne",
            "total": {"amount": "12.50", "currency": "EUR"},
            "paid": False,
            "due_date": None,
            "lines": [{"text": "Paper", "amount": {"amount": "12.50", "currency": "EUR"}}],
        },
        "labels": {"supplier": "Supplier", "total": "Total", "due_date": "Due", "lines.amount": "Net amount"},
        "decided_by": "senior",
        "decided_at": datetime(2026, 3, 4, 9, 30, tzinfo=UTC),
        "try_number": 1,
    }
    return Parcel(**(given | changes))


@pytest.fixture
def parcel() -> Parcel:
    return make_parcel()
