"""How long somebody stays signed in, and how all their sessions end at once.

Django keeps a session that is used for ever; these end so long after the sign-in whatever is done in them, and, where
that is asked for, after so long without a request. A session also ends by Django's own rules when its account is
disabled or its password changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

STARTED, SEEN = "signed_in_at", "seen_at"
NOTED_EVERY = 60  # seconds: that somebody is there is written at most so often


def note_start(*, request: Any, **_: Any) -> None:
    """Follows Django's `user_logged_in`."""
    if request is not None and hasattr(request, "session"):
        request.session[STARTED] = request.session[SEEN] = int(time.time())


class SessionAges:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The session says whether anybody is signed in; who it is need not be asked for that.
        if SESSION_KEY in request.session and (why := _ended(request.session)):
            logout(request)
            messages.info(request, why)
        return self.get_response(request)


def _ended(session: Any) -> str:
    """Why it is over, in words for the person; empty while it is not. Notes that they were here."""
    now = int(time.time())
    if STARTED not in session:  # from before there was an age
        session[STARTED] = session[SEEN] = now
    if now - session[STARTED] >= settings.SESSION_HOURS * 3600:
        hours = settings.SESSION_HOURS
        return f"You were signed out: a sign-in lasts {hours} {'hour' if hours == 1 else 'hours'}. Sign in again."
    if minutes := settings.SESSION_IDLE_MINUTES:
        if now - session.get(SEEN, now) >= minutes * 60:
            return f"You were signed out: nothing was done for {minutes} {'minute' if minutes == 1 else 'minutes'}. Sign in again."
        if now - session.get(SEEN, 0) >= min(NOTED_EVERY, minutes * 30):
            session[SEEN] = now
    return ""


def sessions_of(user: Any) -> list[UserSession]:
    """Where this person is signed in, newest first; what has ended meanwhile is forgotten."""
    found: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(found, key=lambda one: one.created_at, reverse=True)


def end_session(*, user: Any, pk: int) -> bool:
    """Whether there was such a session of this person."""
    session = UserSession.objects.filter(user=user, pk=pk).first()
    if session is None:
        return False
    session.end()
    return True


def end_sessions(*, user: Any) -> int:
    """Sign somebody out everywhere. Every stored session is looked into: one that was never listed ends as well."""
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=500):
        if store().decode(session.session_data).get(SESSION_KEY) == str(user.pk):
            session.delete()
            ended += 1
    UserSession.objects.filter(user=user).delete()
    return ended
