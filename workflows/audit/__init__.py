"""The tamper-evident log: what happened, who did it, and a chain of hashes by which anybody can see that it was not changed.

`record` is called inside the transaction of what it records. The event is written as the very last of that
transaction, so that the lock on the end of the chain waits for nobody who could wait for us.
"""

from workflows.audit.kinds import Kind
from workflows.audit.recording import Entry, record, record_many

__all__ = ["Entry", "Kind", "record", "record_many"]
