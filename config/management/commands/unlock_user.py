from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.signing_in import lock_out
from config.signing_in.found import user_named


class Command(BaseCommand):
    help = "Lift the lock that failed tries to sign in brought on somebody, and on an address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--address", default="", help="the address from which they tried, when it is locked too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user, address = user_named(options["name"]), options["address"]
        lifted = lock_out.unlock(username=user.get_username())
        self.stdout.write(
            f"{user}: {'failed tries are forgotten.' if lifted else 'there were no failed tries.'}"
        )
        if address:
            lifted = lock_out.unlock_address(address=address)
            self.stdout.write(
                f"{address}: {'failed tries are forgotten.' if lifted else 'there were no failed tries.'}"
            )
