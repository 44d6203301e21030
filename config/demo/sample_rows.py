"""A story of the sample year as rows that are not stored yet: an item, its drafts, its reviews, what came of it.

States, reasons and risks come from the code of real items; only what people and a model would have done is drawn by lot.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from config.demo.sample_drafts import CHANNEL, Drafted, draft, failed_run
from config.demo.sample_plan import Fate, Story, decided_at, working
from config.demo.sample_texts import WRITERS, Written
from integrations.llm.outcomes import Outcome
from reviews.models import MOST_SECONDS, Review
from reviews.urgency import urgency
from workflows import attention
from workflows.drafting.fields import FieldSpec
from workflows.intake import hash_of
from workflows.models import (
    Decision,
    Delivery,
    Destination,
    FieldResult,
    Item,
    Page,
    RegisterEntry,
    Run,
    Source,
    Version,
    Workflow,
)
from workflows.register import searchable
from workflows.routing import RuleSpec
from workflows.states import State

NEW_VERSION_AT = 0.58  # of the year
MINUTES = {
    "inbound-leads": 42.0,
    "supplier-invoices": 105.0,
    "call-follow-ups": 64.0,
}  # until somebody decides
ANSWER_MINUTES = 240.0  # of an escalation
SECONDS = {
    "inbound-leads": 80.0,
    "supplier-invoices": 140.0,
    "call-follow-ups": 65.0,
}  # of work on one, while claimed
SECONDS_OF_AN_EDIT = 45.0
CLAIMED = 0.88  # of the decisions; of the others nobody knows how long they took
FAILURES = (Outcome.TIMEOUT, Outcome.INVALID, Outcome.RATE_LIMITED, Outcome.TRUNCATED)
REASONS: dict[Decision.Kind, tuple[str, ...]] = {
    Decision.Kind.REJECT: ("not for us", "same as an earlier one", "not complete", "cannot be confirmed"),
    Decision.Kind.ESCALATE: ("amount above my limit", "unusual request", "source and draft disagree"),
    Decision.Kind.BACK: ("wrong value read", "a value is missing"),
    Decision.Kind.SKIP: ("done elsewhere", "sent by mistake", "nothing is asked"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A workflow as the year finds it. `versions`: the older one and the newer one."""

    workflow: Workflow
    versions: tuple[Version, Version]
    specs: tuple[FieldSpec, ...]
    rules: tuple[RuleSpec, ...]
    register: Destination


@dataclass(slots=True)
class Rows:
    """In the order in which they are stored: nobody points to a row that comes later."""

    items: list[Item] = field(default_factory=list)
    sources: list[tuple[Source, bytes]] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    results: list[FieldResult] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    entries: list[RegisterEntry] = field(default_factory=list)


class Teller:
    """Tells stories one after the other into `rows`. It remembers the last text of each workflow, for the copies of it."""

    def __init__(
        self,
        *,
        settings: dict[str, Setting],
        people: dict[str, Any],
        weeks: int,
        until: datetime,
        dice: Random,
    ) -> None:
        self.settings, self.people, self.weeks, self.until, self.dice = settings, people, weeks, until, dice
        self.rows = Rows()
        self._last: dict[str, tuple[Item, Written]] = {}

    def tell(self, story: Story) -> None:
        setting, dice = self.settings[story.slug], self.dice
        before = self._last.get(story.slug)
        copied = before if story.fate is Fate.COPY else None
        written = copied[1] if copied else WRITERS[story.slug](dice=dice, day=story.came.date())
        item = self._item(story=story, setting=setting, written=written)
        self._source(item=item, text=written.text)
        if copied:
            self._skip_copy(item=item, of=copied[0])
            return
        self._last[story.slug] = (item, written)
        at = story.came + timedelta(seconds=dice.uniform(2, 240))
        if story.fate in (Fate.RETRIED, Fate.BY_HAND, Fate.GIVEN_UP, Fate.STUCK):
            stuck_at = self._fail(item=item, written=written, at=at, story=story)
            if story.fate is Fate.STUCK:
                return
            at = self._later(stuck_at, minutes=MINUTES[story.slug])
            by = self._person(story)
            if story.fate is Fate.GIVEN_UP:
                self._close(item=item, review=None, by=by, at=at)
                return
            if story.fate is Fate.BY_HAND:
                item.values = {spec.key: written.values.get(spec.key, (None,))[0] for spec in setting.specs}
                changed = [key for key, value in item.values.items() if value is not None]
                self._accept(item=item, review=None, by=by, at=at, final=item.values, changed=changed)
                return
            item.revision += 1
        self._review(story=story, item=item, written=written, at=at)

    def _review(
        self, *, story: Story, item: Item, written: Written, at: datetime, again: bool = False
    ) -> None:
        drafted = self._draft(item=item, written=written, at=at, sure=again)
        opened = drafted.run.ended_at
        assert opened is not None, "a run of the past has ended"
        review = self._open(item=item, at=opened, to=State(drafted.route.target), why=_why(drafted))
        if story.fate is Fate.WAITS:
            return
        escalated = item.state == State.ESCALATED
        by = self.people["senior"] if escalated else self._person(story)
        wait = ANSWER_MINUTES if escalated else MINUTES[story.slug] * (1.25 - 0.5 * story.share)
        decided = self._later(opened, minutes=wait)
        match story.fate:
            case Fate.REJECTED:
                self._decide(
                    item=item, review=review, kind=Decision.Kind.REJECT, by=by, at=decided, run=drafted.run
                )
                self._end(item=item, state=State.REJECTED, at=decided)
                return
            case Fate.CLOSED:
                self._close(item=item, review=review, by=by, at=decided, run=drafted.run)
                return
            case Fate.BACK if not again:
                note = self._decide(
                    item=item, review=review, kind=Decision.Kind.BACK, by=by, at=decided, run=drafted.run
                )
                item.note, item.revision = note.reason, item.revision + 2
                self._review(
                    story=story, item=item, written=written, at=decided + timedelta(seconds=20), again=True
                )
                return
            case Fate.ASKED | Fate.WAITS_ABOVE if not escalated:
                asked = self._decide(
                    item=item, review=review, kind=Decision.Kind.ESCALATE, by=by, at=decided, run=drafted.run
                )
                review = self._open(
                    item=item, at=decided, to=State.ESCALATED, why=f"Escalated: {asked.reason}", by=by
                )
                by = self.people["senior"]
                decided = self._later(decided, minutes=ANSWER_MINUTES)
        if story.fate is Fate.WAITS_ABOVE:
            return
        final = {key: written.values.get(key, (None,))[0] for key in drafted.values}
        changed = [key for key, value in final.items() if value != drafted.values[key]]
        self._accept(
            item=item, review=review, by=by, at=decided, final=final, changed=changed, run=drafted.run
        )

    # Steps

    def _item(self, *, story: Story, setting: Setting, written: Written) -> Item:
        version = setting.versions[self._is_new(story.share)]
        item = Item(
            public_id=self._uuid(), workflow=setting.workflow, version=version, title=f"Sample: {written.title}"[:200],
            channel=CHANNEL, submitted_by=self.people["staff"], external_id=f"sample:{story.number:06d}",
            content_hash=hash_of(text=written.text, digests=[]), metadata={"sample": True}, created_at=story.came,
            state_since=story.came, revision=1,
        )  # fmt: skip
        self.rows.items.append(item)
        return item

    def _source(self, *, item: Item, text: str) -> None:
        content = text.encode()
        source = Source(
            item=item, kind=Source.Kind.TEXT, media_type="text/plain", sha256=hashlib.sha256(content).hexdigest(),
            size=len(content), read_at=item.created_at, reading={"kind": "text"},
        )  # fmt: skip
        self.rows.sources.append((source, content))
        self.rows.pages.append(Page(source=source, number=1, text=text, method="text"))

    def _skip_copy(self, *, item: Item, of: Item) -> None:
        item.problem = {
            "happened": f"The same content came in before, as “{of.title}”.",
            "kept": "This copy and its files are kept.",
            "next_step": "Nothing, unless it is meant to be done twice: then reopen it.",
            "item": str(of.public_id),
        }
        self._end(item=item, state=State.SKIPPED, at=item.created_at)

    def _fail(self, *, item: Item, written: Written, at: datetime, story: Story) -> datetime:
        outcome = self.dice.choice(FAILURES)
        run = failed_run(
            item=item,
            outcome=outcome,
            newer=self._is_new(story.share),
            at=at,
            letters=len(written.text),
            dice=self.dice,
        )
        self.rows.runs.append(run)
        assert run.ended_at is not None, "a run of the past has ended"
        item.problem = attention.of_outcome(outcome=outcome)
        self._end(item=item, state=State.ATTENTION, at=run.ended_at)
        item.due_at = run.ended_at + timedelta(minutes=item.workflow.review_due_minutes)
        return run.ended_at

    def _draft(self, *, item: Item, written: Written, at: datetime, sure: bool) -> Drafted:
        setting = self.settings[item.workflow.slug]
        drafted = draft(
            item=item, written=written, specs=setting.specs, rules=setting.rules, newer=item.version is setting.versions[1],
            bar=setting.versions[1].review_bar, at=at, dice=self.dice, sure=sure,
        )  # fmt: skip
        self.rows.runs.append(drafted.run)
        self.rows.results += drafted.results
        item.values, item.route, item.signal = drafted.values, drafted.route.as_json(), drafted.route.signal
        return drafted

    def _open(self, *, item: Item, at: datetime, to: State, why: str, by: Any = None) -> Review:
        workflow, escalated = item.workflow, to == State.ESCALATED
        minutes = workflow.escalation_due_minutes if escalated else workflow.review_due_minutes
        self._end(item=item, state=to, at=at)
        item.problem, item.due_at = None, at + timedelta(minutes=minutes)
        review = Review(
            item=item, workflow=workflow, kind=Review.Kind.ESCALATION if escalated else Review.Kind.DECISION,
            group_id=workflow.escalation_id if escalated else workflow.reviewers_id, asked_by=by, reason=why[:300],
            opened_at=at, due_at=item.due_at, **urgency(item=item),
        )  # fmt: skip
        self.rows.reviews.append(review)
        return review

    def _decide(
        self, *, item: Item, review: Review | None, kind: Decision.Kind, by: Any, at: datetime,
        values: dict[str, Any] | None = None, changed: Sequence[str] = (), run: Run | None = None,
    ) -> Decision:  # fmt: skip
        reasons = REASONS.get(kind)
        decision = Decision(
            item=item, run=run, kind=kind, by=by, values=values, changed=list(changed), created_at=at,
            reason=self.dice.choice(reasons) if reasons else "",
        )  # fmt: skip
        self.rows.decisions.append(decision)
        if review is not None:
            review.state, review.decision, review.closed_at = Review.State.DONE, decision, at
            review.worked_seconds = self._worked(review=review, edits=len(changed))
        return decision

    def _close(
        self, *, item: Item, review: Review | None, by: Any, at: datetime, run: Run | None = None
    ) -> None:
        decision = self._decide(item=item, review=review, kind=Decision.Kind.SKIP, by=by, at=at, run=run)
        item.problem = {
            "happened": decision.reason, "kept": "The item and its files are kept.",
            "next_step": "Nothing, unless it was wrong: then reopen it.",
        }  # fmt: skip
        self._end(item=item, state=State.SKIPPED, at=at)

    def _accept(
        self, *, item: Item, review: Review | None, by: Any, at: datetime, final: dict[str, Any], changed: list[str],
        run: Run | None = None,
    ) -> None:  # fmt: skip
        """Approved and, its hold being over, delivered. To the register alone: nothing was ever sent anywhere else."""
        kind = Decision.Kind.EDIT if changed else Decision.Kind.APPROVE
        decision = self._decide(
            item=item, review=review, kind=kind, by=by, at=at, values=final, changed=changed, run=run
        )
        setting = self.settings[item.workflow.slug]
        item.values, item.problem = final, None
        arrived = min(
            at + timedelta(seconds=item.workflow.hold_seconds + self.dice.uniform(1, 6)), self.until
        )
        delivery = Delivery(
            item=item, decision=decision, destination=setting.register, key=self._uuid(), payload={}, tries=1,
            state=Delivery.State.DELIVERED, due_at=arrived, delivered_at=arrived, created_at=at,
        )  # fmt: skip
        self.rows.deliveries.append(delivery)
        self.rows.entries.append(
            RegisterEntry(
                workflow=item.workflow,
                item=item,
                delivery=delivery,
                title=item.title,
                values=final,
                accepted_at=arrived,
                words=searchable(title=item.title, values=final, specs=setting.specs),
            )
        )
        item.revision += 1
        self._end(item=item, state=State.DELIVERED, at=arrived)

    def _end(self, *, item: Item, state: State, at: datetime) -> None:
        item.state, item.state_since, item.due_at = state.value, at, None
        item.revision += 1

    # Lots

    def _is_new(self, share: float) -> bool:
        return share >= NEW_VERSION_AT

    def _person(self, story: Story) -> Any:
        names, weights = zip(*working(share=story.share, weeks=self.weeks), strict=True)
        return self.people[self.dice.choices(names, weights=weights)[0]]

    def _later(self, at: datetime, *, minutes: float) -> datetime:
        return decided_at(opened=at, median_minutes=minutes, dice=self.dice, until=self.until)

    def _worked(self, *, review: Review, edits: int) -> int | None:
        if review.closed_at is None or self.dice.random() > CLAIMED:
            return None
        seconds = (
            SECONDS[review.workflow.slug] * math.exp(self.dice.gauss(0, 0.55)) + SECONDS_OF_AN_EDIT * edits
        )
        return round(min(seconds, MOST_SECONDS, (review.closed_at - review.opened_at).total_seconds()))

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.dice.getrandbits(128), version=4)


def _why(drafted: Drafted) -> str:
    reasons = drafted.route.reasons
    return f"Drafted: {reasons[0].text}" if reasons else "Drafted"
