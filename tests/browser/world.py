"""One installation for all browser tests: the demo's people and workflows, and items that went through the real pipeline.

The reader reads real files in its own process, the drafts come over HTTP from a scripted model, decisions and deliveries
are made by the project's own functions. So evidence, boxes, signals, reviews and deliveries are what people would see.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.test import override_settings
from django.test.utils import setup_databases, teardown_databases
from django.utils import timezone

from config.backends import DEMO_MAIL, DEMO_PASSWORD
from config.demo.loading import SLUGS, load_workflow, make_people
from integrations.llm.deployment import Deployment
from integrations.llm.profiles import Profile
from reviews.claims import claim
from reviews.models import Review
from tests.browser.inputs import (
    INVOICES,
    LEADS,
    Input,
    invoice,
    locked_invoice,
    mail_chain,
    scanned_invoice,
    transcript,
    web_form,
)
from tests.browser.serving import Rows, serving
from tests.factories import MANAGER, STAFF, grant_all, make_user, make_workflow
from tests.scripted_model import ScriptedModel, scripted_model
from tests.webhook_receiver import Receiver, webhook_receiver
from workflows import audit
from workflows.access import Action
from workflows.decisions import approve, escalate, reject
from workflows.evaluation.cases import import_cases
from workflows.evaluation.running import begin_evaluation, run_evaluations
from workflows.handoff import deliver_due
from workflows.intake import submit
from workflows.models import (
    AuditEvent,
    Case,
    Delivery,
    Destination,
    Evaluation,
    Item,
    Price,
    RegisterEntry,
    Version,
    Workflow,
)
from workflows.tasks import run_worker
from workflows.version_rows import copy_version
from workflows.versions import forget_versions

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUESTION = "Is this the second invoice for order PO-87010?"

# Beside the demo's four: who sees one workflow only, who has nothing to do yet, and who has no grant at all.
MORE_PEOPLE = ("invoice-manager", "newcomer", "nobody")


@dataclass
class World:
    url: str
    rows: Rows
    model: ScriptedModel
    receiver: Receiver
    people: dict[str, Any]
    deployment: Deployment | None = None
    workflows: dict[str, Workflow] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)  # name in the tests -> pk

    def take_in(self, one: Input, *, by: str = "staff") -> int:
        """Submit one input and draft it; the pk of its item."""
        return self.rows.do(self._take_in, one, by)

    def deliver(self) -> int:
        return self.rows.do(self.deliver_now)

    def state_of(self, pk: int) -> str:
        return self.rows.do(lambda: Item.objects.values_list("state", flat=True).get(pk=pk))

    def places(self) -> dict[str, Any]:
        """What stands in the addresses of the screens: `{invoice}` and its like."""
        return self.rows.do(self._places)

    # Of what follows, each is for the thread of the rows.

    def _take_in(self, one: Input, by: str) -> int:
        self.model.script = [*self.model.script, *one.rules()]
        workflow = Workflow.objects.get(slug=one.slug)
        item = submit(
            workflow=workflow, by=self.people[by], channel="admin", text=one.text, files=one.files, title=one.title
        ).item  # fmt: skip
        self.draft()
        return item.pk

    def draft(self) -> None:
        profile = Profile(
            name="deployment", base_url=self.model.base_url, model="scripted",
            backoff_seconds=0.05, read_seconds=2.0, total_seconds=5.0, longest_wait_seconds=1.0,
        )  # fmt: skip
        self.deployment = Deployment(profile=profile, in_flight=8)
        run_worker(deployment=self.deployment, idle_seconds=0.05, lease_for=60)

    def approve(self, item: Item) -> None:
        """By staff, who looked at every field that asks for it."""
        approve(item=item, by=self.people["staff"], seen=(item.route or {})["to_check"])

    def deliver_now(self) -> int:
        Delivery.objects.filter(state="waiting").update(due_at=timezone.now() - timedelta(seconds=1))
        return deliver_due()

    def _places(self) -> dict[str, Any]:
        workflow = self.workflows[INVOICES]
        return {
            **self.items,
            "workflow": workflow.pk,
            "version": workflow.version_id,
            "destination": Destination.objects.filter(workflow=workflow, kind="webhook").get().pk,
            "entry": RegisterEntry.objects.filter(item=self.items["delivered"]).get().pk,
            "delivery": Delivery.objects.filter(item=self.items["delivered"]).order_by("pk").first().pk,
            "event": AuditEvent.objects.filter(kind=audit.Kind.ITEM_DECIDED).values_list("pk", flat=True)[0],
            "run": Item.objects.get(pk=self.items["invoice"]).runs.first().pk,
            "unused": Version.objects.get(workflow__slug=LEADS, used_at=None).pk,
            "leads": self.workflows[LEADS].pk,
            "case": Case.objects.get(name="Form with a gold value that is wrong").pk,
            "held out case": Case.objects.get(held_out=True).pk,
            **{
                name: row.pk
                for name, row in zip(
                    ("first", "second", "running"), Evaluation.objects.order_by("pk"), strict=True
                )
            },
        }


@contextlib.contextmanager
def opened(*, folder: Path) -> Iterator[World]:
    """The installation, with its servers, until the session ends."""
    rows = Rows()
    mail = {
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {"file_path": str(folder / "mail")},
    }
    with contextlib.ExitStack() as stack:
        stack.callback(rows.end)
        made = rows.do(_make_database, folder)
        stack.callback(rows.do, teardown_databases, made, verbosity=0)
        stack.enter_context(
            override_settings(
                DEMO=True,
                MEDIA_ROOT=folder / "files",
                ALLOWED_PRIVATE_HOSTS=["127.0.0.1"],
                MAILERS={"default": mail},
                PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
            )
        )
        before = os.environ.get("TEST_WEBHOOK_SECRET")
        os.environ["TEST_WEBHOOK_SECRET"] = SECRET
        stack.callback(_put_back, "TEST_WEBHOOK_SECRET", before)
        forget_versions()
        model = stack.enter_context(scripted_model())
        receiver = stack.enter_context(webhook_receiver(secret=SECRET))
        people, workflows = rows.do(_people_and_workflows, receiver)
        url = stack.enter_context(serving())
        settings.SITE_URL = url
        world = World(url=url, rows=rows, model=model, receiver=receiver, people=people, workflows=workflows)
        rows.do(_fill, world)
        yield world


def _make_database(folder: Path) -> Any:
    """On disk, so that every thread sees the same rows; never flushed, so not the one that other tests share."""
    named = connection.settings_dict["TEST"]
    before, named["NAME"] = named.get("NAME"), str(folder / "browser.sqlite3")
    try:
        return setup_databases(verbosity=0, interactive=False, aliases=["default"])
    finally:
        named["NAME"] = before


def _put_back(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _people_and_workflows(receiver: Receiver) -> tuple[dict[str, Any], dict[str, Workflow]]:
    people = make_people()
    workflows = {slug: load_workflow(slug=slug, people=people)[0] for slug in SLUGS}
    for name in MORE_PEOPLE:
        people[name] = make_user(name)
        people[name].email = f"{name}{DEMO_MAIL}"
        people[name].set_password(DEMO_PASSWORD)
        people[name].save()
    grant_all(to=people["invoice-manager"], on=workflows[INVOICES], actions=[*MANAGER, Action.MODEL_LOGS])
    quiet = make_workflow("quiet-workflow", name="Quiet workflow")
    grant_all(to=people["newcomer"], on=quiet, actions=STAFF)
    # The group that a new workflow can be given to; staff is in it.
    people["staff"].groups.add(Group.objects.get_or_create(name="Front desk")[0])
    Destination.objects.create(
        workflow=workflows[INVOICES], kind="webhook", name="Ledger",
        config={"url": receiver.url(), "secret_env": "TEST_WEBHOOK_SECRET"},
    )  # fmt: skip
    return people, workflows


def _fill(world: World) -> None:
    inputs = {
        "invoice": invoice("VB-2041", unsure="total", pages=2),
        "scan": scanned_invoice("VB-2042"),
        "locked": locked_invoice(),
        "large": invoice("VB-2043", total="£14,400.00", tax="£2,400.00"),
        "without order": invoice("VB-2044", order=""),
        "delivered": invoice("VB-2045"),
        "held": invoice("VB-2046"),
        "refused by receiver": invoice("VB-2047"),
        "rejected": invoice("VB-2048"),
        "claimed": invoice("VB-2049"),
        "mail": mail_chain("QT-77"),
        "form": web_form("W-1"),
        "asked": web_form("W-2"),
        "model refused": web_form("W-3", behaviour="refusal"),
        "call": transcript("ref 4471"),
    }
    staff = world.people["staff"]
    Price.objects.create(model="scripted", prompt=0, completion=0)  # the demo's workflows have budgets
    for name, one in inputs.items():
        world.model.script = [*world.model.script, *one.rules()]
        world.items[name] = submit(
            workflow=world.workflows[one.slug], by=staff, channel="admin", text=one.text, files=one.files, title=one.title
        ).item.pk  # fmt: skip
    world.draft()
    items = {name: Item.objects.get(pk=pk) for name, pk in world.items.items()}

    world.approve(items["delivered"])
    world.deliver_now()
    ledger = Destination.objects.get(name="Ledger")
    ledger.config["url"] = world.receiver.url("/400")
    ledger.save()
    world.approve(items["refused by receiver"])
    world.deliver_now()
    ledger.config["url"] = world.receiver.url()
    ledger.save()
    world.approve(items["held"])
    reject(item=items["rejected"], by=staff, reason="Paid twice already")
    escalate(item=items["asked"], by=staff, reason="Is this still under guarantee?")
    copy_version(version=world.workflows[LEADS].version, by=world.people["admin"])
    claim(review=Review.objects.get(item=items["claimed"]), by=world.people["senior"])
    again = inputs["form"]
    world.items["twice"] = submit(
        workflow=world.workflows[again.slug], by=staff, channel="admin", text=again.text, title="The same form again"
    ).item.pk  # fmt: skip
    _evaluate(world, text=again.text)
    late = timezone.now() - timedelta(hours=1, minutes=12)
    Item.objects.filter(pk=items["without order"].pk).update(due_at=late)
    Review.objects.filter(item=items["without order"].pk).update(due_at=late)
    waiting = web_form("W-4")
    world.items["waiting"] = submit(
        workflow=world.workflows[waiting.slug], by=staff, channel="admin", text=waiting.text, title=waiting.title
    ).item.pk  # fmt: skip


def _evaluate(world: World, *, text: str) -> None:
    """Two evaluations that ended, and one that waits for its turn."""
    rows = [
        {"name": "Form with a gold value that is wrong", "text": text, "messy": ["web form"], "values": {"contact_name": "Nobody"}},
        {"name": "Form held out", "text": text + " again", "held_out": True, "values": {"contact_name": "Nobody"}},
        {"name": "Form that is refused", "text": "[[refusal]]", "values": {"contact_name": "Nobody", "company": None}},
        {"name": "Empty form", "text": "\u200b", "expect": "attention"},
    ]  # fmt: skip
    workflow, admin = world.workflows[LEADS], world.people["admin"]
    import_cases(workflow=workflow, text=json.dumps(rows), format="yaml", by=admin)
    for _ in range(2):
        begin_evaluation(version=workflow.version, by=admin)
        run_evaluations(deployment=world.deployment)
    second = Evaluation.objects.latest("pk").results.get(case__held_out=False, outcome="ok")
    second.values = {**(second.values or {}), "contact_name": "Nobody"}
    second.fields = [{**second.fields[0], "drafted": "Nobody", "right": True}]
    second.save()
    begin_evaluation(version=workflow.version, by=admin)
