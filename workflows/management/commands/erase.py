from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from workflows.access import visible
from workflows.erasure.beyond import beyond_of
from workflows.erasure.erasing import count_parts, erase, finish_all, refusals
from workflows.erasure.person import Found, search_person
from workflows.erasure.scrubbing import scrub
from workflows.errors import Refused
from workflows.models import Erasure, Item, Workflow


class Command(BaseCommand):
    help = (
        "Erase the content of items, or of a person's data wherever it is found. What is left counts in reports. "
        "With --dry-run it tells what would go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("item", nargs="*", help="its number or its id")
        parser.add_argument(
            "--person",
            default="",
            metavar="TEXT",
            help="an e-mail address, a name, a telephone number or an external id",
        )
        parser.add_argument(
            "--workflow", default="", help="look for the person in this workflow alone (its short name)"
        )
        parser.add_argument("--reason", default="", help="why; it is kept, so it names nobody")
        parser.add_argument(
            "--user",
            default="",
            help="who does it, with this person's rights; else the installation's operator",
        )
        parser.add_argument("--dry-run", action="store_true", help="tell what would go, and change nothing")
        parser.add_argument("--vacuum", action="store_true", help="SQLite: then rebuild the database file, so that no byte of it stays")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        by = self._by(options["user"])
        if options["item"] and options["person"]:
            raise CommandError("Name items, or a person, not both. Nothing was erased.")
        if not options["item"] and not options["person"] and not options["vacuum"]:
            raise CommandError("Name items, or a person with --person. Nothing was erased.")
        try:
            if options["item"] or options["person"]:
                found = self._found(options=options, by=by)
                if options["dry_run"]:
                    self._tell(found=found, by=by)
                    return
                self._erase(found=found, options=options, by=by)
            if options["vacuum"] and not options["dry_run"]:
                finish_all()
                self.stdout.write(self._vacuum())
        except Refused as refused:
            raise CommandError(str(refused)) from None

    def _by(self, name: str) -> Any:
        if not name:
            return None
        by = get_user_model().objects.filter(username=name, is_active=True).first()
        if by is None:
            raise CommandError(f"There is no active user “{name}”. Nothing was erased.")
        return by

    def _found(self, *, options: dict[str, Any], by: Any) -> Found:
        if options["person"]:
            workflow = None
            if options["workflow"]:
                workflow = Workflow.objects.filter(slug=options["workflow"]).first()
                if workflow is None:
                    raise CommandError(f"There is no workflow “{options['workflow']}”. Nothing was erased.")
            return search_person(text=options["person"], by=by, workflow=workflow)
        return Found(items={self._item(one, by=by).pk: [] for one in options["item"]})

    def _item(self, told: str, *, by: Any) -> Item:
        rows = Item.objects.all() if by is None else visible(by, Item.objects.all())
        if told.isdecimal():
            found = rows.filter(pk=int(told)).first()
        else:
            try:
                found = rows.filter(public_id=uuid.UUID(told)).first()
            except ValueError:
                found = None
        if found is None:
            raise CommandError(f"There is no item “{told}”. Nothing was erased.")
        return found

    def _tell(self, *, found: Found, by: Any) -> None:
        items = Item.objects.filter(pk__in=found.items, erased_at=None).order_by("workflow", "pk")
        by_workflow: dict[int, list[Item]] = {pk: [] for pk in found.beside}
        for item in items:
            by_workflow.setdefault(item.workflow_id, []).append(item)
        if not by_workflow:
            self.stdout.write("Nothing of it is here.")
        for pk, rows in by_workflow.items():
            self.stdout.write(f"{Workflow.objects.get(pk=pk).slug}:")
            refused = refusals(items=rows, workflow_id=pk)
            for row in rows:
                places = found.items.get(row.pk) or []
                self.stdout.write(
                    f"  item {row.pk}, {row.get_state_display().lower()}{': ' if places else ''}{', '.join(places)}"
                )
                if row.pk in refused:
                    self.stdout.write(f"    {refused[row.pk]}")
            going = [row.pk for row in rows if row.pk not in refused]
            beside = found.beside.get(pk)
            for name, count in count_parts(items=going, workflow_id=pk, extra=beside).items():
                self.stdout.write(f"  {count} {name}")
            for said in [*beyond_of(items=going, by=by), *(beside.not_reached if beside else ())]:
                self.stdout.write(f"  Not reached: {said}")
        self.stdout.write("Nothing was erased: this was a dry run.")

    def _erase(self, *, found: Found, options: dict[str, Any], by: Any) -> None:
        person = options["person"]
        done = erase(
            items=found.items, by=by, reason=options["reason"], beside=found.beside, unspoken=[person] if person else [],
            kind=Erasure.Kind.PERSON if person else Erasure.Kind.ITEM,
        )  # fmt: skip
        for record in done.records:
            told = ", ".join(f"{count} {name}" for name, count in record.erased.items())
            self.stdout.write(f"{record.workflow.slug}: erased {told or 'nothing'}")
            for said in record.not_reached:
                self.stdout.write(f"  Not reached: {said}")
        for said in done.refused.values():
            self.stderr.write(said)
        if not done.records and not done.refused:
            self.stdout.write("Nothing of it is here, or it was erased before.")

    def _vacuum(self) -> str:
        if connection.vendor != "sqlite":
            return "This database cleans up by itself; see docs/operations.md for VACUUM FULL."
        scrub()
        return "The database file was rebuilt: no byte of what was erased is in it."
