from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class Config(AppConfig):
    name = "config"

    def ready(self) -> None:
        from django.core.checks import register

        from config.money_check import check_usd_rate

        register(check_usd_rate)


class Admin(AdminConfig):
    default_site = "config.admin_site.Site"

    def ready(self) -> None:
        super().ready()  # finds every admin module
        from config.superuser_admin import keep_for_superusers

        keep_for_superusers()
