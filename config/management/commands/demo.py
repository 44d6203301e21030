from __future__ import annotations

import os
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Max

from config.backends import DEMO_PASSWORD
from config.demo import scoring, table
from config.demo.loading import ROLES, SLUGS, demo_items, load_demo, make_people
from config.demo.worth import cases_done, evaluation_lines, evaluations_under_way, measure_demo
from config.processes import processes, tick, web_answers, with_database
from config.supervise import Supervisor
from workflows.models import Run
from workflows.states import RESTING

STUCK_AFTER_SECONDS = 900  # nothing moved for so long: what is not at rest is stuck


class Command(BaseCommand):
    help = "Serve the demo: three workflows, their messy inputs, four people. Run again, it resumes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="take the inputs to rest, print a table, and end"
        )
        parser.add_argument(
            "--score", action="store_true", help="print how many fields are right, on both halves"
        )

    def handle(self, *args: Any, once: bool, score: bool, **options: Any) -> None:
        # The children inherit it, and nothing else does: outside the demo its password opens nothing.
        os.environ["COUNTERSIGN_DEMO"] = "1"
        settings.DEMO = True
        call_command("migrate", verbosity=0)
        for line in load_demo():
            self.stdout.write(line)
        status = self._once() if once else self._serve()
        if once:
            self.stdout.write(
                "\n"
                + table.as_text(table.rows(demo_items().select_related("workflow").order_by("pk")))
                + "\n"
            )
            for line in evaluation_lines():
                self.stdout.write(line)
        if score:
            self._score()
        if once and (stuck := demo_items().exclude(state__in=RESTING).count()):
            raise CommandError(f"{stuck} items are stuck. The lines above say what each waits for.")
        raise SystemExit(status)

    def _serve(self) -> int:
        supervisor = Supervisor()
        greeted = measured = False

        def greet_then_tick() -> None:
            nonlocal greeted, measured
            if not greeted and web_answers():
                greeted = True
                for line in self._greeting():
                    supervisor.say(line)
            tick()
            if greeted and not measured and not demo_items().exclude(state__in=RESTING).exists():
                measured = True
                for line in measure_demo(people=make_people()):
                    supervisor.say(line)

        return supervisor.run(children=processes(with_web=True), on_tick=greet_then_tick)

    def _greeting(self) -> list[str]:
        waiting = demo_items().exclude(state__in=RESTING).count()
        return [
            f"Countersign is at {settings.SITE_URL}/admin/",
            f"Sign in as {', '.join(ROLES)}; the password of each is {DEMO_PASSWORD}",
            f"{waiting} items are being drafted behind it; what you submit comes first"
            if waiting
            else "Every demo item is drafted",
            f"Mails are files in {settings.DATA / 'mail'}. Ctrl-C ends everything; start again, and it goes on",
        ]

    def _once(self) -> int:
        began = time.monotonic()
        newest: Any = None
        moved = began
        measured = False

        def at_rest() -> bool:
            nonlocal newest, moved, measured
            left = demo_items().exclude(state__in=RESTING).count()
            if left == 0 and not measured:
                measured = True
                for line in measure_demo(people=make_people()):
                    self.stdout.write(line)
            left += evaluations_under_way()
            now = (left, Run.objects.aggregate(newest=Max("pk"))["newest"], cases_done())
            if now != newest:
                newest, moved = now, time.monotonic()
            return left == 0 or time.monotonic() - moved > STUCK_AFTER_SECONDS

        if at_rest():
            return 0
        status = Supervisor().run(
            children=processes(with_web=False), on_tick=tick, until=with_database(at_rest)
        )
        self.stdout.write(f"Done after {time.monotonic() - began:.0f} s.")
        return status

    def _score(self) -> None:
        for slug in SLUGS:
            for held_out in (False, True):
                one = scoring.score(slug=slug, held_out=held_out)
                self.stdout.write(f"{slug}, {'held-out' if held_out else 'open'} half: {one}")
                for line in one.wrong:
                    self.stdout.write(f"    {line}")
        for held_out in (False, True):
            self.stdout.write(
                f"All, {'held-out' if held_out else 'open'} half: {scoring.score_all(held_out=held_out)}"
            )
