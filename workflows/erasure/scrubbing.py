"""SQLite keeps the bytes of deleted rows in its file and in its write-ahead log until they are written over."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.utils import timezone

from workflows.erasure.files import let_go
from workflows.errors import Refused
from workflows.models import CaseSource, Erasure, Source

log = logging.getLogger("countersign.erase")

LARGEST = 256 * 1024**2  # bytes of a file that is rebuilt by itself: nobody can write meanwhile
_TRIES, _WAIT_SECONDS = 20, 0.5
STRAY_AFTER = timedelta(days=1)  # a file may be stored a moment before its row is


def scrub() -> int:
    """Rebuild the database file without them, and empty the write-ahead log. Returns how many erasures it covers.

    Takes room for a second copy of the file, and nobody can write meanwhile. Elsewhere than on SQLite it does nothing.
    """
    if connection.vendor != "sqlite":
        return 0
    before = list(
        Erasure.objects.filter(scrubbed_at=None).exclude(ended_at=None).values_list("pk", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("VACUUM")
    for _ in range(_TRIES):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not cursor.fetchone()[0]:  # else somebody is reading what stands in it
                return Erasure.objects.filter(pk__in=before).update(scrubbed_at=timezone.now())
        time.sleep(_WAIT_SECONDS)
    raise Refused(
        "The database file was rebuilt, but somebody kept reading its write-ahead log. It may still hold what was erased. "
        "Try again in a quiet moment."
    )


def scrub_when_due() -> int:
    """The tick's: only after erasures, and only a file that is rebuilt within seconds."""
    if connection.vendor != "sqlite" or not Erasure.objects.filter(scrubbed_at=None).exists():
        return 0
    name = Path(str(connection.settings_dict["NAME"]))
    if name.exists() and name.stat().st_size > LARGEST:
        log.warning(
            "Erasures wait for the database file to be rebuilt, which takes longer than can be done by itself. Run "
            "`manage.py erase --vacuum` in a quiet hour."
        )
        return 0
    try:
        return scrub()
    except (OperationalError, Refused) as error:
        log.warning("The database file was not rebuilt (%s); it is tried again tomorrow.", error)
        return 0


def sweep_stray_files() -> int:
    """Files that no row holds: their item was refused, or a worker stored them while it was erased. Returns how many went."""
    before = timezone.now() - STRAY_AFTER
    gone = 0
    if not default_storage.exists("sources"):
        return 0
    for folder in default_storage.listdir("sources")[0]:
        names = [f"sources/{folder}/{name}" for name in default_storage.listdir(f"sources/{folder}")[1]]
        held = {*Source.objects.filter(file__startswith=f"sources/{folder}/").values_list("file", flat=True)}
        held |= {
            *CaseSource.objects.filter(file__startswith=f"sources/{folder}/").values_list("file", flat=True)
        }
        stray = [
            name for name in names if name not in held and default_storage.get_modified_time(name) < before
        ]
        gone += len(stray) - len(let_go(stray))
    return gone


def is_scrubbed(record: Erasure) -> bool:
    return connection.vendor != "sqlite" or record.scrubbed_at is not None
