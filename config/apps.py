from typing import Any

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.core.management import call_command


class Config(AppConfig):
    name = "config"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in
        from django.core.checks import register
        from django.db.models.signals import post_migrate

        from config.money_check import check_usd_rate
        from config.signing_in.lock_out import note_sign_in
        from config.signing_in.sessions import note_start

        register(check_usd_rate)
        user_logged_in.connect(note_start, dispatch_uid="note_start")
        user_logged_in.connect(note_sign_in, dispatch_uid="note_sign_in")
        # The signal is sent for apps with models, which this one is not.
        after = apps.get_app_config("workflows")
        post_migrate.connect(_make_cache_table, sender=after, dispatch_uid="make_cache_table")


def _make_cache_table(*, using: str, **_: Any) -> None:
    """Nothing is done where it is there, or where the cache is in Redis."""
    call_command("createcachetable", database=using, verbosity=0)


class Admin(AdminConfig):
    default_site = "config.admin_site.Site"

    def ready(self) -> None:
        super().ready()  # finds every admin module
        from config.superuser_admin import keep_for_superusers

        keep_for_superusers()
