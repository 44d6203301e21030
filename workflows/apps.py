from django.apps import AppConfig


class Workflows(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from django_q.signals import post_execute

        from workflows.money import settle_lost
        from workflows.tallies import sweep
        from workflows.tasks import note_tick, wake_what_is_due
        from workflows.ticking import every

        post_execute.connect(note_tick, dispatch_uid="note_tick")
        every(seconds=1.5, name="look for due work", call=wake_what_is_due)
        every(seconds=60, name="settle reservations whose calls never answered", call=settle_lost)
        every(seconds=3600, name="forget counts that have ended", call=sweep)
