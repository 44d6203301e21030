"""What the rows of workflows can erase: a table of it, in the order in which it goes."""

from __future__ import annotations

from workflows.erasure import beside
from workflows.erasure.husks import HUSK, make_husks
from workflows.erasure.registry import (
    columns_of,
    declare_free,
    register,
    register_blanking,
    register_deleting,
)
from workflows.models import (
    AuditContent,
    Decision,
    Delivery,
    DeliveryAttempt,
    FieldResult,
    IdempotencyKey,
    Item,
    LegalHold,
    Page,
    RegisterEntry,
    Run,
    Source,
)


def register_all() -> None:
    # First: it asks the rows that go next for their ids.
    register(name="entries of the admin's log", count=beside.count_log, erase=beside.erase_log,
             columns=("admin.logentry.object_repr", "admin.logentry.change_message"))  # fmt: skip
    # With their salt: the digests in the events say nothing then, and the chain verifies as before.
    register_deleting(name="contents of audit events", model=AuditContent, path="item_id")
    register_deleting(name="pages of text", model=Page, path="source__item")
    register_deleting(name="sources", model=Source)
    register_blanking(
        name="field results", model=FieldResult, path="run__item", to={"value": None, "evidence": None, "flags": []}
    )  # fmt: skip
    register_blanking(
        name="runs", model=Run, to={"prompt": [], "raw_text": "", "draft": None, "calls": [], "error": ""}
    )
    register_blanking(name="decisions", model=Decision, to={"values": None, "reason": ""})
    register_deleting(name="register entries", model=RegisterEntry)
    register_blanking(
        name="tries of deliveries", model=DeliveryAttempt, path="delivery__item", to={"detail": ""}
    )
    register_blanking(name="deliveries", model=Delivery, to={"payload": {}, "error": "", "reference": ""})
    register_deleting(name="idempotency keys", model=IdempotencyKey)
    register_blanking(
        name="holds that were released", model=LegalHold, to={"reason": "", "release_reason": ""}
    )
    register(
        name="labels of items", count=beside.count_labels, erase=beside.erase_labels,
        columns=("workflows.label.value", "workflows.historicallabel.value", "workflows.historicallabel.history_change_reason"),
    )  # fmt: skip
    register(
        name="cases of the same content", count=beside.count_cases, erase=beside.erase_cases,
        columns=(
            "workflows.case.name", "workflows.case.content_hash", "workflows.casesource.name", "workflows.casesource.media_type",
            "workflows.casesource.sha256", "workflows.casesource.file", "workflows.caseresult.values",
            "workflows.caseresult.fields", "workflows.caseresult.error", "workflows.caseresult.input_hash",
            "workflows.case.messy", "workflows.historicalcase.name", "workflows.historicalcase.content_hash",
            "workflows.historicalcase.messy", "workflows.historicalcase.history_change_reason",
        ),
    )  # fmt: skip
    register(name="tries of versions", count=beside.count_tries, erase=beside.erase_tries,
             columns=("workflows.try.text", "workflows.try.result", "workflows.try.said"))  # fmt: skip
    register(name="searches noted with exports", count=beside.count_exports, erase=beside.erase_exports,
             columns=("workflows.registerexport.filters",))  # fmt: skip
    register(name="names of it in other items", count=beside.count_mentions, erase=beside.erase_mentions)
    register(name="reports of failed tasks", count=beside.count_tasks, erase=beside.erase_tasks,
             columns=("django_q.task.args", "django_q.task.kwargs", "django_q.task.result"))  # fmt: skip
    register(name="messages in sessions", count=lambda batch: 0, erase=beside.erase_messages,
             columns=("sessions.session.session_data",))  # fmt: skip
    # Last: what went before still asked it for its problem.
    register(
        name="items", count=lambda batch: len(batch.items), erase=make_husks, columns=columns_of(Item, (*HUSK, "problem"))
    )  # fmt: skip
    _declare()


def _declare() -> None:
    words = "one of our own words"
    name = "the name of a model or profile, as its server gives it"
    counts = "keys of fields, which the version names"
    declare_free(columns={
        "workflows.item.channel": words, "workflows.item.state": words,
        "workflows.historicalitem.channel": words, "workflows.historicalitem.state": words,
        "workflows.run.outcome": words, "workflows.run.model": name, "workflows.run.profile": name,
        "workflows.fieldresult.key": counts, "workflows.decision.kind": words, "workflows.decision.changed": counts,
        "workflows.delivery.state": words, "workflows.historicaldelivery.state": words,
        "workflows.deliveryattempt.result": words, "workflows.label.key": counts, "workflows.label.origin": words,
        "workflows.spending.span": words,
        "workflows.case.expect": words, "workflows.case.origin": words,
        "workflows.historicalcase.expect": words, "workflows.historicalcase.origin": words,
        "workflows.historicallabel.key": counts, "workflows.historicallabel.origin": words,
        "workflows.caseresult.outcome": words, "workflows.caseresult.model": name, "workflows.caseresult.asked_model": name,
    })  # fmt: skip
    declare_free(columns={
        f"workflows.{model}.history_type": words for model in ("historicalitem", "historicaldelivery", "historicalregisterentry", "historicalcase", "historicallabel")
    })  # fmt: skip
