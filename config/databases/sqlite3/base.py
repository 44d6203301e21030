from __future__ import annotations

from django.db.backends.sqlite3 import base

from config.databases.collecting import CollectsUntilCommit


class DatabaseWrapper(CollectsUntilCommit, base.DatabaseWrapper):
    pass
