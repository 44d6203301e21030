from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.signing_in import people
from config.signing_in.first_password import link_for
from workflows.errors import Refused


class Command(BaseCommand):
    help = (
        "Make a user who may come into the admin. Without --password-from-stdin a link is printed that sets a password once; "
        "it is valid for three days."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--group", action="append", default=[], dest="groups", help="may be given several times"
        )
        parser.add_argument("--superuser", action="store_true", help="may do everything")
        parser.add_argument(
            "--password-from-stdin", action="store_true", help="read the password from the first line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = sys.stdin.readline().rstrip("\n") if options["password_from_stdin"] else None
        if password == "":  # an empty line; None is a link
            raise CommandError("No password came. Nobody was made.")
        try:
            user = people.make_user(
                name=options["name"], email=options["email"], groups=options["groups"],
                superuser=options["superuser"], password=password,
            )  # fmt: skip
        except Refused as refused:
            raise CommandError(str(refused)) from None
        if password is None:
            self.stderr.write(f"{user} was made. This link sets the password, once, within three days:")
            self.stdout.write(f"{settings.SITE_URL}{link_for(user=user)}")
        else:
            self.stdout.write(f"{user} was made and can sign in.")
