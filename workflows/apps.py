from django.apps import AppConfig


class Workflows(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        from django.core.checks import Tags, register
        from django.db.models.signals import post_migrate
        from django_q.signals import post_execute

        from workflows.audit.accounts import watch_accounts
        from workflows.audit.scheduled import RECENT_SECONDS, WHOLE_SECONDS, check_recent, check_whole
        from workflows.audit.triggers import check_triggers, make_triggers
        from workflows.erasure import registry, tables
        from workflows.erasure.erasing import finish_all
        from workflows.erasure.mails import erase_mails
        from workflows.erasure.retention import erase_due
        from workflows.erasure.scrubbing import scrub_when_due, sweep_stray_files
        from workflows.money import settle_lost
        from workflows.tallies import sweep
        from workflows.tasks import note_tick, wake_what_is_due
        from workflows.ticking import every

        post_migrate.connect(make_triggers, sender=self, dispatch_uid="audit_triggers")
        register(check_triggers, Tags.database)
        watch_accounts()
        post_execute.connect(note_tick, dispatch_uid="note_tick")
        every(seconds=1.5, name="look for due work", call=wake_what_is_due)
        every(seconds=60, name="settle reservations whose calls never answered", call=settle_lost)
        every(seconds=RECENT_SECONDS, name="verify what is new in the audit log", call=check_recent)
        every(seconds=WHOLE_SECONDS, name="verify the whole audit log", call=check_whole)

        tables.register_all()
        registry.afterwards(name="mails in the folder", call=erase_mails)
        every(seconds=20, name="finish erasures that were cut off", call=finish_all)
        every(seconds=60, name="erase what was kept long enough", call=erase_due)
        every(seconds=86_400, name="delete files that nothing holds", call=sweep_stray_files)
        every(seconds=86_400, name="rebuild the database file after erasures", call=scrub_when_due)
        every(seconds=3600, name="forget counts that have ended", call=sweep)
