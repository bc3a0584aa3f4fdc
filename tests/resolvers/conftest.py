"""Fixtures of the resolvers' tests."""

from __future__ import annotations

import pytest

from pooled import Pool

pytest.register_assert_rewrite("signing_in")


@pytest.fixture
def pool():
    pool = Pool()
    yield pool
    pool.close()
