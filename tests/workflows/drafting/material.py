"""One page of everyday mail and short ways to make specs and pages."""

from __future__ import annotations

from typing import Any

from workflows.drafting.documents import PageText
from workflows.drafting.fields import FieldSpec

MAIL = """From: Ines Okafor <ines@okafor-joinery.example>
To: sales@countersign.example
Date: Tue, 10 Nov 2026 09:12:44 +0000
Subject: Quote for 40 oak panels, order PO-2026-1187

Hello,

we met at the fair last month and I would like a quote for 40 oak panels (18 mm) delivered to Leeds, LS1 4AP.
We need them by next Friday, at the latest 28 November. The budget is around £4,200.
Please call me on 01632 960 961. The invoice INV-00233 is still open.

Kind regards
Ines Okafor
Okafor Joinery Ltd
"""

PASSED_ON = """From: Nia Brook <nia@countersign.example>
To: sales@countersign.example
Subject: Fwd: An offer

Yours, I think. Nia, 01632 960 901

---------- Forwarded message ----------
From: Ola Holm <ola@holm.example>
To: info@countersign.example
Subject: An offer

Could you send us an offer? We have £3,100 for it. Ring me on 01632 960 777.
Ola Holm
"""


def spec(key: str, kind: str = "text", **more: Any) -> FieldSpec:
    return FieldSpec.model_validate(
        {"key": key, "label": key.replace("_", " ").capitalize(), "kind": kind, **more}
    )


def page(text: str, *, number: int = 1, pieces: list[dict[str, Any]] | None = None) -> PageText:
    return PageText(source=7, source_name="mail.eml", number=number, text=text, pieces=pieces or [])


TOPIC = spec(
    "topic",
    "choice",
    required=True,
    choices=[{"key": "quote", "label": "Quote"}, {"key": "support", "label": "Support"}],
)
LINES = spec(
    "lines", "rows", columns=[spec("what", required=True).model_dump(), spec("amount", "money").model_dump()]
)
LEAD = [
    TOPIC,
    spec("contact_name", required=True),
    spec("company"),
    spec("email", "email", required=True),
    spec("phone", "phone"),
    spec("order_number"),
    spec("wanted_by", "date"),
    spec("budget", "money"),
]
