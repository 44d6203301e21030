from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.processes import processes, tick
from config.supervise import Supervisor


class Command(BaseCommand):
    help = "Do the work without web pages: the queue's workers and, where none is named, the embedded model."

    def handle(self, *args: Any, **options: Any) -> None:
        raise SystemExit(Supervisor().run(children=processes(with_web=False), on_tick=tick))
