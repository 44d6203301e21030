from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from config.processes import processes, tick
from config.supervise import Supervisor


class Command(BaseCommand):
    help = (
        "Serve the web pages and do the work, as one supervised foreground job, on the configured database."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        self.stdout.write(f"Countersign will be at {settings.SITE_URL}/admin/ in a moment. Ctrl-C ends it.")
        raise SystemExit(Supervisor().run(children=processes(with_web=True), on_tick=tick))
