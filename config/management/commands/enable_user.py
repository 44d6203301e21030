from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.signing_in.found import user_named
from config.signing_in.people import enable_user


class Command(BaseCommand):
    help = "Let somebody in again who was disabled. Their API keys stay revoked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["name"])
        if enable_user(user=user):
            self.stdout.write(f"{user} can sign in again. API keys that were revoked stay so: make new ones.")
        else:
            self.stdout.write(f"{user} was not disabled. Nothing was changed.")
