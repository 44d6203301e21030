from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.demo.history import add_history, sample_items
from config.demo.sample_removal import remove_history
from workflows.errors import Refused


class Command(BaseCommand):
    help = "Add a year of sample history to the demo, so that its reports are worth looking at; or remove it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--weeks", type=int, default=52, help="how far it goes back")
        parser.add_argument("--items", type=int, default=4000, help="how many items came in")
        parser.add_argument("--seed", type=int, default=1, help="another number, another history")
        parser.add_argument("--remove", action="store_true", help="remove all of it, and nothing else")

    def handle(self, *args: Any, weeks: int, items: int, seed: int, remove: bool, **options: Any) -> None:
        began = time.monotonic()
        try:
            count = remove_history() if remove else add_history(weeks=weeks, items=items, seed=seed)
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        took = f"in {time.monotonic() - began:.0f} s"
        if remove:
            self.stdout.write(
                f"{count:,} items of sample history were removed with all that belongs to them, {took}."
                if count
                else "There is no sample history. Nothing was removed."
            )
        elif count:
            self.stdout.write(
                f"{count:,} items of sample history were added {took}. Their titles begin with “Sample:”. "
                "Remove them with: manage.py demo_history --remove"
            )
        else:
            self.stdout.write(
                f"There is sample history already: {sample_items().count():,} items. Nothing was added."
            )
