from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.signing_in.found import user_named
from config.signing_in.sessions import end_sessions


class Command(BaseCommand):
    help = "Sign somebody out everywhere. Their password, second factor and API keys stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["name"])
        ended = end_sessions(user=user)
        self.stdout.write(f"{user}: {ended} session{'' if ended == 1 else 's'} ended.")
