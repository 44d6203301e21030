"""Errors as RFC 9457 problem documents: what happened, what was kept, what to do next."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError

from workflows.errors import Conflict, InvalidInput, NotPermitted, Refused, TooLarge
from workflows.transitions import InvalidTransition

log = logging.getLogger(__name__)

TITLES = {
    401: "No valid key",
    403: "Not permitted",
    404: "Not found",
    405: "Not possible here",
    409: "Conflict",
    413: "Too large",
    422: "Cannot be taken as it is",
    429: "Too many requests",
    500: "A fault of ours",
}
NOT_FOUND = "There is nothing here that this key may see. Check the address, or ask whoever manages the workflow's access."


def problem(*, status: int, detail: str, errors: dict[str, str] | None = None) -> HttpResponse:
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
    }
    if errors:
        told["errors"] = [{"field": field, "detail": said} for field, said in errors.items()]
    return JsonResponse(told, status=status, content_type="application/problem+json")


def answer_with_problems(api: NinjaAPI) -> None:
    """Every way in which a call can fail has its answer here; none of them is Django's HTML page."""
    statuses: dict[type[Exception], int] = {
        TooLarge: 413, InvalidInput: 422, Conflict: 409, InvalidTransition: 409, NotPermitted: 403, Refused: 409,
    }  # fmt: skip
    add: Any = api.add_exception_handler  # its annotation takes no handler of one kind of error
    for kind, status in statuses.items():
        add(kind, _of_refusal(status))
    for kind in (MultiPartParserError, UnreadablePostError, SuspiciousOperation):
        add(kind, _unreadable)
    for kind in (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
        add(kind, _too_much)
    add(Http404, lambda request, error: problem(status=404, detail=NOT_FOUND))
    add(ValidationError, _invalid)
    add(AuthenticationError, _no_key)
    add(Throttled, _too_often)
    add(HttpError, _other)
    add(Exception, _our_fault)


def _of_refusal(status: int) -> Any:
    def answer(request: HttpRequest, error: Exception) -> HttpResponse:
        return problem(status=status, detail=str(error), errors=getattr(error, "problems", None))

    return answer


def _unreadable(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(
        status=422,
        detail="The request cannot be read, so nothing was kept. Send multipart/form-data with a boundary and the whole body.",
    )


def _too_much(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(
        status=413,
        detail="The request has more text, fields or files than can be taken. Nothing was kept. Send it in parts.",
    )


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = {str(each["loc"][-1]): _lower(each) for each in error.errors}
    return problem(
        status=422, detail="Some of what was sent cannot be read. Nothing was kept.", errors=errors
    )


def _lower(error: Any) -> str:
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{said}." if not said.endswith(".") else said


def _no_key(request: HttpRequest, error: Exception) -> HttpResponse:
    answer = problem(
        status=401,
        detail="The key is missing, unknown, expired or revoked. Send it as “Authorization: Bearer KEY”, or have a new one made.",
    )
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def _too_often(request: HttpRequest, error: Throttled) -> HttpResponse:
    answer = problem(
        status=429,
        detail=f"This key made too many requests in a minute. Nothing was kept. Try again in {error.wait} seconds.",
    )
    answer["Retry-After"] = str(error.wait)
    return answer


def _other(request: HttpRequest, error: HttpError) -> HttpResponse:
    status = error.status_code if error.status_code in TITLES else 422
    return problem(status=status, detail="The request cannot be read. Nothing was kept.")


def _our_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("%s %s failed.", request.method, request.path, exc_info=error)
    return problem(
        status=500,
        detail="This is a fault of ours. It is not known whether the request was kept: repeat it with the same Idempotency-Key.",
    )
