from collections.abc import Iterator

import pytest

from integrations.documents.reader import Reader


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    with Reader() as warm:
        yield warm
