"""What a receiver gets: the same bytes for every try of a delivery, because nothing here depends on the clock."""

from __future__ import annotations

import json
from datetime import UTC

from integrations.connectors.base import Parcel


def payload(parcel: Parcel) -> str:
    """{"type", "timestamp", "data": {"item", "title", "workflow", "workflow_name", "url", "values", "decided_by"}}.

    `timestamp` is when the result was accepted, in UTC. ASCII only: a receiver that decodes the body with the wrong
    character set still verifies and reads it. A test has the type "item.test" and `"test": true` beside it, so that no
    receiver books it by mistake.
    """
    return json.dumps(
        {
            "type": "item.test" if parcel.test else "item.approved",
            **({"test": True} if parcel.test else {}),
            "timestamp": parcel.decided_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": {
                "item": parcel.item_id,
                "title": parcel.title,
                "workflow": parcel.workflow,
                "workflow_name": parcel.workflow_name,
                "url": parcel.url,
                "values": parcel.values,
                "decided_by": parcel.decided_by,
            },
        },
        separators=(",", ":"),
        allow_nan=False,
    )
