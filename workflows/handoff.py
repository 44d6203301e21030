"""Deliveries that are due go to their destinations: retries with back-off, dead letters, nothing twice.

A delivery carries one idempotency key for life. After an answer that is not certain, a destination that may be
repeated is; one that can look our key up is asked first; one that can do neither goes to a person.
"""

from __future__ import annotations

import logging
import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.connectors.base import DeliveryFailed, Parcel, Receipt, Repeat, connector, parse_config
from workflows import attention, audit
from workflows.access import Action, may
from workflows.errors import Conflict, NotPermitted
from workflows.models import Delivery, DeliveryAttempt, Item
from workflows.outbox import REGISTER, values_of
from workflows.people import acting, system_user
from workflows.register import enter
from workflows.states import State
from workflows.transitions import check_not_erased, lock, move_locked
from workflows.waking import wake

log = logging.getLogger("countersign.deliver")

MAX_TRIES = 7
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 3600.0
AT_ONCE = 4
LOOK_SECONDS = 0.5  # between looks at what became due, while others are under way


def deliver_due(*, limit: int = 100, beat: Callable[[], object] = lambda: None) -> int:
    """Send what is due, and what becomes due meanwhile, some at a time: a slow receiver does not hold up the others.
    Returns how many.

    `beat` is called every few seconds while it lasts. Each delivery is leased when its turn comes, and its lease is
    renewed while it is under way: a receiver may take longer than a lease, a dead sender may not.
    """
    if connection.in_atomic_block:  # other threads would not see these rows
        return sum(_take_and_send(pk=pk, held=set()) for pk in _due_ids(limit=limit))
    if not is_delivery_due():
        return 0
    held: set[uuid.UUID] = set()
    over = threading.Event()
    with ThreadPoolExecutor(max_workers=AT_ONCE + 1) as pool:
        pool.submit(_keep, held=held, over=over, beat=beat)
        try:
            return _keep_sending(pool=pool, held=held, limit=limit)
        finally:
            over.set()


def _keep_sending(*, pool: ThreadPoolExecutor, held: set[uuid.UUID], limit: int) -> int:
    under_way: dict[Future[bool], int] = {}
    taken = sent = 0
    while True:
        room = min(AT_ONCE - len(under_way), limit - taken)
        # Those under way may be due still, for the moment before their lease.
        due = _due_ids(limit=room + len(under_way)) if room > 0 else []
        for pk in [pk for pk in due if pk not in under_way.values()][: max(room, 0)]:
            under_way[pool.submit(_in_thread, pk, held=held)] = pk
            taken += 1
        if not under_way:
            return sent
        done, _ = wait(under_way, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for one in done:
            pk = under_way.pop(one)
            if error := one.exception():
                log.error("Delivery %s could not be recorded; it is taken up again.", pk, exc_info=error)
            else:
                sent += one.result()


def _keep(*, held: set[uuid.UUID], over: threading.Event, beat: Callable[[], object]) -> None:
    try:
        while not over.wait(settings.LEASE_SECONDS / 3):
            try:
                Delivery.objects.filter(lease__in=held.copy(), state=Delivery.State.SENDING).update(
                    lease_until=_lease_end()
                )
                beat()
            except Exception:
                log.exception("The leases of deliveries could not be renewed; it is tried again.")
    finally:
        connection.close()


def _due_ids(*, limit: int) -> list[int]:
    return list(Delivery.objects.filter(_due()).order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def _due() -> Q:
    now = timezone.now()
    waiting = Q(state=Delivery.State.WAITING, due_at__lte=now)
    lost = Q(state=Delivery.State.SENDING, lease_until__lt=now)
    return waiting | lost


def is_delivery_due() -> bool:
    return Delivery.objects.filter(_due()).exists()


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def _lease(*, pk: int) -> uuid.UUID | None:
    """Won by the update that touched the row. A sender that died leaves `sending` behind: it is taken over."""
    lease = uuid.uuid4()
    won = Delivery.objects.filter(_due(), pk=pk).update(
        state=Delivery.State.SENDING, lease=lease, lease_until=_lease_end(), tries=F("tries") + 1
    )
    return lease if won else None


def _in_thread(pk: int, *, held: set[uuid.UUID]) -> bool:
    try:
        return _take_and_send(pk=pk, held=held)
    finally:
        connection.close()


def _take_and_send(*, pk: int, held: set[uuid.UUID]) -> bool:
    """Whether it was ours to send."""
    lease = _lease(pk=pk)
    if lease is None:
        return False
    held.add(lease)
    try:
        _send(pk=pk, lease=lease)
    finally:
        held.discard(lease)
    return True


def _send(*, pk: int, lease: uuid.UUID) -> None:
    rows = Delivery.objects.select_related("destination", "item__workflow", "item__version", "decision")
    delivery = rows.filter(pk=pk, lease=lease).first()
    if delivery is None:
        return  # this process slept through its lease, and somebody else has it
    try:
        if delivery.tries > MAX_TRIES:
            # Taken over again and again: what kills its sender each time is left to a person.
            raise DeliveryFailed(
                "The sender stopped before an answer came, each time.", retry=False, certain=False
            )
        if delivery.destination.kind == REGISTER:
            with transaction.atomic():
                lock(item=delivery.item)  # items before deliveries, everywhere: the other order deadlocks
                if _still_ours(delivery):
                    enter(delivery=delivery, by=system_user())
                    _delivered(delivery=delivery, receipt=Receipt())
            return
        # A try before this one that never came back: it may have arrived.
        lost = delivery.attempts.filter(ended_at=None).exists()
        _send_outside(
            delivery=delivery, after_uncertain=lost or delivery.attempts.filter(result="uncertain").exists()
        )
    except DeliveryFailed as error:
        _failed(delivery=delivery, error=error)
    except Exception as error:
        log.exception("Delivery %s failed in our own code.", pk)
        # An attempt that began and has no end may have arrived, whatever failed afterwards.
        begun = delivery.attempts.filter(ended_at=None).update(
            ended_at=timezone.now(),
            result="uncertain",
            detail="Countersign itself failed before it noted an answer.",
        )
        _failed(
            delivery=delivery,
            error=DeliveryFailed(
                f"Countersign itself failed: {type(error).__name__}.", retry=True, certain=not begun
            ),
        )


def _send_outside(*, delivery: Delivery, after_uncertain: bool) -> None:
    destination = connector(delivery.destination.kind)
    attempt = None
    try:
        try:
            config = parse_config(kind=delivery.destination.kind, config=delivery.destination.config)
        except ValueError as error:
            raise DeliveryFailed(f"Its settings are not valid: {error}", retry=False, certain=True) from error
        parcel = _parcel(delivery=delivery)
        delivery.attempts.filter(ended_at=None).update(
            ended_at=timezone.now(), result="uncertain", detail="The worker stopped before an answer came."
        )
        if after_uncertain:
            if destination.repeat is Repeat.ASK:
                raise DeliveryFailed(
                    "The connection ended before an answer came.", retry=False, certain=False
                )
            if destination.repeat is Repeat.FIND_FIRST and (
                found := destination.find(parcel=parcel, config=config)
            ):
                _delivered(delivery=delivery, receipt=found)
                return
        attempt = DeliveryAttempt.objects.create(delivery=delivery)
        receipt = destination.deliver(parcel=parcel, config=config)
    except DeliveryFailed as error:
        if attempt is not None:
            _end_attempt(
                attempt,
                "uncertain" if not error.certain else "retry" if error.retry else "refused",
                str(error),
            )
        _failed(delivery=delivery, error=error)
    else:
        # Together: an attempt that reads as sent, beside a delivery that does not, would be sent once more.
        with transaction.atomic():
            _end_attempt(attempt, "sent", receipt.detail)
            _delivered(delivery=delivery, receipt=receipt)


def _parcel(*, delivery: Delivery) -> Parcel:
    told: dict[str, Any] = delivery.payload
    return Parcel(
        key=str(delivery.key), item_id=told["item_id"], title=told["title"], workflow=told["workflow"],
        workflow_name=told["workflow_name"], url=told["url"], values=values_of(told), labels=told["labels"],
        decided_by=told["decided_by"], decided_at=datetime.fromisoformat(told["decided_at"]), try_number=delivery.tries,
    )  # fmt: skip


def _end_attempt(attempt: DeliveryAttempt, result: str, detail: str) -> None:
    attempt.ended_at, attempt.result, attempt.detail = timezone.now(), result, detail[:500]
    attempt.save(update_fields=["ended_at", "result", "detail"])


def _still_ours(delivery: Delivery) -> bool:
    return (
        Delivery.objects.select_for_update()
        .filter(pk=delivery.pk, lease=delivery.lease, state=Delivery.State.SENDING)
        .exists()
    )


def _delivered(*, delivery: Delivery, receipt: Receipt) -> None:
    with transaction.atomic():
        item = lock(item=delivery.item)
        if not _still_ours(delivery):
            return
        _end(
            delivery,
            Delivery.State.DELIVERED,
            why="Arrived",
            reference=receipt.reference[:300],
            error="",
            delivered_at=timezone.now(),
        )
        _settle(item=item, by=system_user())
    log.info("%s: item %s arrived at %s.", item.workflow.slug, item.pk, delivery.destination.name)


def _failed(*, delivery: Delivery, error: DeliveryFailed) -> None:
    destination = delivery.destination
    repeatable = destination.kind == REGISTER or connector(destination.kind).repeat is not Repeat.ASK
    retry = error.retry and delivery.tries < MAX_TRIES and (error.certain or repeatable)
    with transaction.atomic():
        item = lock(item=delivery.item)
        if not _still_ours(delivery):
            return
        if retry:
            wait = _wait(tries=delivery.tries, asked=error.retry_after)
            _end(
                delivery,
                Delivery.State.WAITING,
                why="It is tried again",
                error=str(error)[:500],
                due_at=timezone.now() + wait,
            )
            log.info(
                # Ids and kinds alone: a log is not erased, and an answer may quote what was sent.
                "%s: %s did not take item %s (try %d); tried again in %.0f s.",
                item.workflow.slug,
                destination.name,
                item.pk,
                delivery.tries,
                wait.total_seconds(),
            )
            return
        uncertain = not error.certain and not repeatable
        _end(
            delivery,
            Delivery.State.UNCERTAIN if uncertain else Delivery.State.DEAD,
            why="No more tries",
            error=str(error)[:500],
        )
        problem = attention.of_delivery(
            destination=destination.name, error=str(error), tries=delivery.tries, uncertain=uncertain
        )
        if item.state == State.APPROVED:
            move_locked(
                row=item, to=State.ATTENTION, by=system_user(), why=problem["happened"], problem=problem
            )
    log.warning(
        "%s: item %s was not handed over to %s: it needs a person.",
        item.workflow.slug,
        item.pk,
        destination.name,
    )


def _wait(*, tries: int, asked: float | None) -> timedelta:
    wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 3 ** (tries - 1)) * random.uniform(0.8, 1.2)  # noqa: S311
    return timedelta(seconds=max(wait, min(asked or 0.0, 24 * 3600.0)))


def _end(delivery: Delivery, state: Delivery.State, *, why: str, **columns: Any) -> None:
    delivery.state, delivery.lease, delivery.lease_until = state, None, None
    for name, value in columns.items():
        setattr(delivery, name, value)
    with acting(by=system_user(), why=why, on=delivery):
        delivery.save(update_fields=["state", "lease", "lease_until", *columns])
    if state != Delivery.State.WAITING:
        _record_end(delivery=delivery, by=system_user())


def _record_end(*, delivery: Delivery, by: Any, why: str = "") -> None:
    told = {
        "destination": delivery.destination.name,
        "error": delivery.error,
        "reference": delivery.reference,
        "why": why,
    }
    audit.record(
        kind=audit.Kind.DELIVERY_ENDED, by=by, item=delivery.item,
        facts={
            "delivery": delivery.pk, "destination": delivery.destination_id, "to": delivery.destination.kind,
            "state": str(delivery.state), "tries": delivery.tries,
        },
        content={name: said for name, said in told.items() if said},
    )  # fmt: skip


def _settle(*, item: Item, by: Any) -> None:
    """`delivered` means all of them."""
    arrived = _of_one_result(item.deliveries.filter(state=Delivery.State.DELIVERED))
    open_ones = item.deliveries.exclude(state__in=(Delivery.State.DELIVERED, Delivery.State.CANCELLED))
    # A resend stands for the delivery it repeats, and for whatever that one repeated.
    if _of_one_result(open_ones) - arrived:
        return
    if item.state in (State.APPROVED, State.ATTENTION):
        move_locked(row=item, to=State.DELIVERED, by=by, why="Every destination has it", problem=None)


def _of_one_result(deliveries: QuerySet[Delivery]) -> set[tuple[int, int]]:
    """One decision on its way to one destination: a delivery with its resends."""
    return set(deliveries.values_list("decision_id", "destination_id"))


def resend(*, delivery: Delivery, by: Any) -> Delivery:
    """Send once more, as a new record with a new key that points to the old one."""
    return _after_attention(delivery=delivery, by=by, act=partial(_resend, by=by))


def mark_arrived(*, delivery: Delivery, by: Any, why: str) -> Delivery:
    """A person looked: it is there."""

    def mark(row: Delivery, item: Item) -> Delivery:
        row.state, row.delivered_at = Delivery.State.DELIVERED, timezone.now()
        with acting(by=by, why=f"Marked as arrived: {why}", on=row):
            row.save(update_fields=["state", "delivered_at"])
        _record_end(delivery=row, by=by, why=f"Marked as arrived: {why}")
        _settle(item=item, by=by)
        return row

    return _after_attention(delivery=delivery, by=by, act=mark)


def _resend(row: Delivery, item: Item, *, by: Any) -> Delivery:
    same = item.deliveries.filter(decision=row.decision_id, destination=row.destination_id)
    if same.exclude(
        state__in=(Delivery.State.DEAD, Delivery.State.UNCERTAIN, Delivery.State.CANCELLED)
    ).exists():
        raise Conflict(
            "It was sent again already, and that one arrived or is on its way. Nothing was changed."
        )
    again = Delivery(
        item=item, decision=row.decision, destination=row.destination, payload=row.payload, resend_of=row
    )
    with acting(by=by, why="Sent again", on=again):
        again.save(force_insert=True)
    audit.record(
        kind=audit.Kind.DELIVERY_RESENT, by=by, item=item,
        facts={"delivery": again.pk, "resend_of": row.pk, "destination": row.destination_id},
    )  # fmt: skip
    wake(task="workflows.tasks.deliver")
    return again


def _after_attention(*, delivery: Delivery, by: Any, act: Callable[[Delivery, Item], Delivery]) -> Delivery:
    with transaction.atomic():
        item = lock(item=delivery.item)
        if not may(by, Action.REVIEW, item):
            raise NotPermitted(
                f"You may not change deliveries of {item.workflow.name}. Ask whoever manages its access."
            )
        check_not_erased(item=item)
        row = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if row.state not in (Delivery.State.DEAD, Delivery.State.UNCERTAIN):
            raise Conflict(f"This delivery is {row.get_state_display().lower()} now. Nothing was changed.")
        return act(row, item)
