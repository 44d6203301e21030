from django.apps import AppConfig


class Workflows(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"
