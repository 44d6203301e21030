from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Reviews(AppConfig):
    name = "reviews"
    verbose_name = "Work"

    def ready(self) -> None:
        from reviews.admin.page_pictures import forget_pictures
        from reviews.break_glass_mail import tell_of_broken_glass
        from reviews.budget_mail import tell_of_budgets
        from reviews.minutes import person_minutes
        from reviews.models import Review
        from reviews.notifying import tell_owners
        from reviews.opening import follow_item
        from reviews.reports.actual import actual_of
        from reviews.reports.rollup import roll_up
        from reviews.reports.triggers import make_triggers
        from workflows.erasure import registry
        from workflows.measuring import tell_actuals, tell_person_minutes
        from workflows.ticking import every
        from workflows.transitions import follow

        follow(states=None, call=follow_item)
        tell_person_minutes(person_minutes)
        tell_actuals(actual_of)
        every(seconds=60, name="tell the owners what waits", call=tell_owners)
        every(seconds=60, name="tell the owners of budgets that run low", call=tell_of_budgets)
        every(seconds=30, name="keep the figures of days that are over", call=roll_up)
        post_migrate.connect(make_triggers, sender=self)
        every(seconds=30, name="tell owners and deputies of broken glass", call=tell_of_broken_glass)

        registry.register_blanking(
            name="reviews", model=Review, to={"reason": "", "amount": None, "currency": ""}
        )
        registry.declare_free(columns={
            f"reviews.{model}.{name}": "one of our own words"
            for model, names in (
                ("review", ("kind", "state", "reason_kinds")), ("historicalreview", ("kind", "state", "history_type")),
            )
            for name in names
        })  # fmt: skip
        registry.with_a_file(name="pictures of pages", call=forget_pictures)
