"""What workers hold at one moment, as the rows tell it, and whether somebody else holds it now."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from workflows.models import Delivery, DeliveryAttempt, Item
from workflows.states import State


@dataclass(frozen=True)
class Held:
    """Leases by row: `items` that are worked on, `deliveries` that are being sent."""

    items: dict[int, uuid.UUID | None]
    deliveries: dict[int, uuid.UUID | None]

    def still_held(self) -> list[str]:
        """Those still under the lease of then: neither leased again nor at an end."""
        return [
            *(f"item {pk}" for pk, lease in _items().items() if pk in self.items and lease == self.items[pk]),
            *(
                f"delivery {pk}"
                for pk, lease in _deliveries().items()
                if pk in self.deliveries and lease == self.deliveries[pk]
            ),
        ]


def what_is_held() -> Held:
    return Held(items=_items(), deliveries=_deliveries())


def open_attempts() -> int:
    """Deliveries that have left and were not answered."""
    return DeliveryAttempt.objects.filter(ended_at=None, delivery__state=Delivery.State.SENDING).count()


def _items() -> dict[int, uuid.UUID | None]:
    return dict(Item.objects.filter(state=State.WORKING).exclude(lease=None).values_list("pk", "lease"))


def _deliveries() -> dict[int, uuid.UUID | None]:
    return dict(Delivery.objects.filter(state=Delivery.State.SENDING).values_list("pk", "lease"))
