from django.apps import AppConfig


class Workflows(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from workflows.ticking import every
        from workflows.waking import wake_if_due

        every(seconds=1.5, name="look for due work", call=wake_if_due)
