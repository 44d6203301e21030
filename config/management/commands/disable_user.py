from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.signing_in.found import user_named
from config.signing_in.people import disable_user, told_of


class Command(BaseCommand):
    help = (
        "Take somebody out at once: sign-in, sessions, API keys and claims. What they did keeps their name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["name"])
        was = "was disabled" if user.is_active else "was disabled already"
        self.stdout.write(f"{user} {was}: {told_of(disable_user(user=user))}")
