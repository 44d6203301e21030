"""The calls. Each gets its row through the one door, and calls a function that knows the rules."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from ninja import File, Form, Header, NinjaAPI, Query
from ninja.files import UploadedFile

from workflows import intake
from workflows.access import Action, may, visible
from workflows.api.cursors import after_cursor, write_cursor
from workflows.api.keys import BearerKey
from workflows.api.metadata import read_metadata
from workflows.api.problems import answer_with_problems, problem
from workflows.api.shapes import (
    ItemPage,
    ItemWhole,
    Problem,
    StageTold,
    StageWanted,
    Taken,
    line,
    stage_told,
    taken,
    whole,
)
from workflows.api_keys import require_scope
from workflows.errors import InvalidInput, TooLarge
from workflows.models import ApiKey, Item
from workflows.stages import set_stage
from workflows.states import State
from workflows.viewed import note_view

MOST_ITEMS_OF_A_PAGE = 200

api = NinjaAPI(
    title="Countersign",
    version="1",
    description="Submit work, and read what became of it. Every error is an RFC 9457 problem document.",
    urls_namespace="api",
    auth=BearerKey(),
)
answer_with_problems(api)

FAILURES: dict[Any, Any] = {401: Problem, 403: Problem, 404: Problem, 422: Problem, 429: Problem}


@api.post(
    "/workflows/{slug}/items",
    response={202: Taken, 200: Taken, 409: Problem, 413: Problem, **FAILURES},
    summary="Submit an item",
)
def submit_item(
    request: HttpRequest,
    slug: str,
    text: Annotated[str, Form(description="Text to work on, in place of files or beside them.")] = "",
    title: Annotated[
        str, Form(description="What people call the item; found out by itself when empty.")
    ] = "",
    external_id: Annotated[str, Form(description="Your own name of it; once per workflow.")] = "",
    metadata: Annotated[str, Form(description="A JSON object, kept with the item.")] = "",
    files: Annotated[
        list[UploadedFile], File(description="What is to be read; all of them are one item.")
    ] = [],  # noqa: B006 - ninja's way
    idempotency_key: Annotated[
        str, Header(alias="Idempotency-Key", description="Makes a repeat harmless.")
    ] = "",
) -> tuple[int, Taken]:
    """202 for a new item; 200 and the same item for a repeat: the same key and request, or the same external id and content."""
    key = _key_for(request=request, slug=slug, action=Action.SUBMIT)
    _refuse_other_forms(request=request)
    submitted = intake.submit(
        workflow=key.workflow, by=key.user, channel="api", text=text, title=title, external_id=external_id,
        files=_uploads(files), metadata=read_metadata(text=metadata), idempotency_key=_idempotency_key(idempotency_key),
    )  # fmt: skip
    return 202 if submitted.created else 200, taken(item=submitted.item)


@api.get("/workflows/{slug}/items", response={200: ItemPage, **FAILURES}, summary="List items")
def list_items(
    request: HttpRequest,
    slug: str,
    state: Annotated[str, Query(description=f"One of: {', '.join(State)}.")] = "",
    updated_after: Annotated[
        datetime | None, Query(description="A moment; UTC unless it has an offset.")
    ] = None,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST_ITEMS_OF_A_PAGE)] = 50,
) -> ItemPage:
    """The ones that changed longest ago come first, so that whoever reads to the end misses none."""
    key = _key_for(request=request, slug=slug, action=Action.VIEW)
    items = visible(key.user, Item.objects.filter(workflow=key.workflow)).order_by("updated_at", "pk")
    if state:
        items = items.filter(state=_state(state))
    if updated_after:
        items = items.filter(updated_at__gt=_moment(updated_after))
    if cursor:
        items = after_cursor(items=items, cursor=cursor, workflow_id=key.workflow_id)
    columns = (
        "public_id",
        "workflow__slug",
        "title",
        "state",
        "external_id",
        "signal",
        "created_at",
        "updated_at",
    )
    page = list(items.select_related("workflow").only(*columns)[: limit + 1])
    more = page[limit:]
    page = page[:limit]
    return ItemPage(
        items=[line(item=item) for item in page], next_cursor=write_cursor(item=page[-1]) if more else None
    )


@api.post("/workflows/{slug}/stage", response={200: StageTold, **FAILURES}, summary="Change the stage")
def change_stage(request: HttpRequest, slug: str, wanted: StageWanted) -> StageTold:
    """For keys whose user manages the workflow. `live` takes every check of the launch gate, or its owner with a reason."""
    key = _key_for(request=request, slug=slug, action=Action.MANAGE)
    workflow = set_stage(
        workflow=key.workflow, stage=wanted.stage, by=key.user, reason=wanted.reason, way="api"
    )
    return stage_told(workflow=workflow)


@api.get("/items/{item_id}", response={200: ItemWhole, **FAILURES}, summary="Read an item")
def read_item(request: HttpRequest, item_id: str) -> ItemWhole:
    key = _key(request)
    require_scope(key=key, action=Action.VIEW)
    try:
        public_id = uuid.UUID(item_id)
    except ValueError:
        raise Http404 from None
    items = visible(key.user, Item.objects.filter(workflow=key.workflow)).select_related(
        "workflow", "version"
    )
    item = items.filter(public_id=public_id).first()
    if item is None:
        raise Http404
    note_view(item=item, by=key.user, way="api")
    return whole(item=item, user=key.user)


@api.api_operation(
    ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "/{path:rest}",
    auth=None,
    include_in_schema=False,
    url_name="nothing_here",
)
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    return problem(status=404, detail="There is no such call. /api/v1/docs has all of them.")


def _key(request: HttpRequest) -> ApiKey:
    key: ApiKey = request.auth  # type: ignore[attr-defined]
    return key


def _key_for(*, request: HttpRequest, slug: str, action: Action) -> ApiKey:
    """The key, when the workflow is the one it belongs to, its user may still see it, and it was made for this. Compared
    here: a slug from outside reaches no database, and who lost sight of a workflow is not told its name."""
    key = _key(request)
    if key.workflow.slug != slug or not may(key.user, Action.VIEW, key.workflow):
        raise Http404
    require_scope(key=key, action=action)
    return key


def _refuse_other_forms(*, request: HttpRequest) -> None:
    if request.content_type not in ("multipart/form-data", "application/x-www-form-urlencoded", ""):
        came = (request.content_type or "")[:60]
        raise InvalidInput(f"This call takes multipart/form-data, and {came} came. Nothing was kept.")


def _uploads(files: list[UploadedFile]) -> list[intake.Upload]:
    """Sizes are asked before contents are read: twenty files that are too large must not stand in memory."""
    if len(files) > settings.MAX_FILES_PER_ITEM:
        raise TooLarge(
            f"{len(files)} files came in one item; {settings.MAX_FILES_PER_ITEM} can be taken. Nothing was kept. Submit them as several items."
        )
    for file in files:
        if (file.size or 0) > settings.MAX_FILE_BYTES:
            raise TooLarge(
                f"“{file.name}” is larger than {settings.MAX_FILE_BYTES // 2**20} MB. Nothing was kept. Send a smaller copy of it."
            )
    return [
        intake.Upload(name=file.name or "", content=file.read(), media_type=file.content_type or "")
        for file in files
    ]


def _idempotency_key(given: str) -> str:
    if not given.isascii() or not given.isprintable():
        said = "An idempotency key is printable ASCII, like a UUID."
        raise InvalidInput(f"{said} Nothing was kept.", problems={"Idempotency-Key": said})
    return given


def _state(given: str) -> str:
    try:
        return State(given).value
    except ValueError:
        said = f"There is no such state. There are: {', '.join(State)}."
        raise InvalidInput(said, problems={"state": said}) from None


def _moment(given: datetime) -> datetime:
    try:
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        said = "This moment is out of range."
        raise InvalidInput(said, problems={"updated_after": said}) from None
