from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.signing_in.found import user_named
from config.signing_in.second_factor import remove_second_factors
from config.signing_in.sessions import end_sessions


class Command(BaseCommand):
    help = "For somebody who lost phone, passkey and recovery codes: take their second factors away, and sign them out everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = user_named(options["name"])
        removed, ended = remove_second_factors(user=user), end_sessions(user=user)
        self.stdout.write(
            f"{user}: {removed} second factor{'' if removed == 1 else 's'} taken away, {ended} "
            f"session{'' if ended == 1 else 's'} ended. The password alone signs them in until they add another."
        )
