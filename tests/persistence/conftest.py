"""Data folders that hosts are stored in."""

from __future__ import annotations

import pytest
from world import World


@pytest.fixture
def make_world(tmp_path):
    """Make worlds; by default all over one folder, as several processes would have it."""
    made = []

    def make(folder=tmp_path / "Data", **settings):
        made.append(World(folder, **settings))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world):
    """A folder without databases, an empty cache, and what stores hosts there."""
    return make_world()
