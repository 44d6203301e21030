"""The demo is measured by what really happened: once its items are at rest, each workflow's version is evaluated on its
cases, from the drafts that are there, and each destination gets a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.demo.loading import SLUGS
from workflows.destination_test import send_test
from workflows.errors import Refused
from workflows.evaluation.running import begin_evaluation
from workflows.evaluation.telling import reused_told
from workflows.models import REGISTER, Evaluation, Version, Workflow


def measure_demo(*, people: dict[str, Any]) -> Iterator[str]:
    """Begin what was not begun before, and say so; workers do it. A line about each step."""
    for workflow in Workflow.objects.filter(slug__in=SLUGS).select_related("version").order_by("pk"):
        for destination in workflow.destinations.filter(active=True, tested_at=None).exclude(kind=REGISTER):
            yield f"{workflow.name}: {send_test(destination=destination, by=people['admin']).said}"
        version = workflow.version
        if version is None or _evaluations(version).exists():
            continue
        try:
            evaluation = begin_evaluation(version=version, by=people["admin"])
        except Refused as refused:
            yield f"{workflow.name}: {refused}"
        else:
            yield f"{workflow.name}: {version} is evaluated on {evaluation.total} cases"


def evaluations_under_way() -> int:
    return Evaluation.objects.filter(version__workflow__slug__in=SLUGS, ended_at=None).count()


def cases_done() -> int:
    """Grows while an evaluation goes on."""
    return sum(Evaluation.objects.filter(version__workflow__slug__in=SLUGS).values_list("done", flat=True))


def evaluation_lines() -> Iterator[str]:
    for workflow in Workflow.objects.filter(slug__in=SLUGS, version__isnull=False).order_by("pk"):
        newest = Evaluation.objects.filter(version=workflow.version_id).order_by("-pk").first()
        if newest is None or newest.ended_at is None:
            yield f"{workflow.name}: not evaluated"
            continue
        reused = reused_told(reused=newest.reused, of=newest.total)
        said = f" {newest.said}" if newest.said else ""
        yield f"{workflow.name}: {newest.right} of {newest.due} fields right, {reused}.{said}"


def _evaluations(version: Version) -> Any:
    """Those that go on, and those that came to their end. One that ended early for want of a model is begun again."""
    return Evaluation.objects.filter(version=version, said="")
