"""Many processes that move items and write events at once: `python -m tests.workflows.audit.writer EVENTS PK PK ...`, one
process for each item. Each holds its item, and the next one's for every third event. Prints what each wrote."""

from __future__ import annotations

import os
import sys
import time
import traceback

import django


def write(*, events: int, mine: int, next_one: int, begin_at: float) -> int:
    from django.db import transaction

    from workflows.audit import Entry, record, record_many
    from workflows.models import Item
    from workflows.people import system_user
    from workflows.transitions import lock

    by = system_user()
    time.sleep(max(0.0, begin_at - time.time()))
    written = 0
    while written < events:
        with transaction.atomic():
            # Recorded first and locked afterwards: a lock taken where the event is recorded would deadlock here.
            item = Item.objects.select_related("workflow").get(pk=mine)
            record(kind="test.written", by=by, item=item, facts={"number": written}, content={"said": "so"})
            written += 1
            if written % 3 == 0 and written < events:
                record_many([Entry(kind="test.written", by=by, item=item, facts={"number": written})])
                written += 1
                for pk in sorted({mine, next_one}):
                    lock(item=Item(pk=pk))
            else:
                lock(item=item)
        # SQLite lets whoever asks at once go before those who wait, so without a pause each would write all of its own in one go.
        time.sleep(0.005)
    return written


def main(*, events: int, items: list[int]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    begin_at = time.time() + 0.5
    children = {}
    for place, pk in enumerate(items):
        reading, writing = os.pipe()
        if pid := os.fork():
            os.close(writing)
            children[pid] = reading
            continue
        said = b"failed"
        try:
            number = write(
                events=events, mine=pk, next_one=items[(place + 1) % len(items)], begin_at=begin_at
            )
            said = str(number).encode()
        except Exception:
            traceback.print_exc()  # the process ends before Python would
        finally:
            os.write(writing, said)
            os._exit(0)
    for pid, reading in children.items():
        with os.fdopen(reading, "rb") as pipe:
            print(pipe.read().decode(), flush=True)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(events=given[0], items=given[1:])
