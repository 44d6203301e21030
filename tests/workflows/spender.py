"""Many processes that spend from one budget until it is refused: `python -m tests.workflows.spender WORKFLOW AMOUNT TRIES
PROCESSES`. They begin at once; of what each reserved it settles every second one, in full. Prints what each was given.
"""

from __future__ import annotations

import os
import sys
import time
from decimal import Decimal

import django


def spend(*, workflow: int, amount: Decimal, tries: int, begin_at: float) -> int:
    from workflows.models import Reservation
    from workflows.money import reserve, settle

    time.sleep(max(0.0, begin_at - time.time()))
    given = 0
    for _ in range(tries):
        reserved = reserve(workflow=workflow, item=None, amount=amount)
        if isinstance(reserved, Reservation):
            given += 1
            if given % 2:
                settle(settled=[(reserved, amount)])
    return given


def main(*, workflow: int, amount: Decimal, tries: int, processes: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()  # once: no connection is open yet when the others come of it
    begin_at = time.time() + 0.5
    children = {}
    for _ in range(processes):
        reading, writing = os.pipe()
        if pid := os.fork():
            os.close(writing)
            children[pid] = reading
            continue
        said = b"failed"
        try:
            said = str(spend(workflow=workflow, amount=amount, tries=tries, begin_at=begin_at)).encode()
        finally:
            os.write(writing, said)
            os._exit(0)
    for pid, reading in children.items():
        with os.fdopen(reading, "rb") as pipe:
            print(pipe.read().decode(), flush=True)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(workflow=int(given[0]), amount=Decimal(given[1]), tries=int(given[2]), processes=int(given[3]))
