from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.stage import MakeStage, Stage


@pytest.fixture
def make_stage() -> Iterator[MakeStage]:
    made: list[Stage] = []

    def make(**settings: object) -> Stage:
        made.append(Stage(**settings))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


@pytest.fixture
def stage(make_stage: MakeStage) -> Stage:
    return make_stage()
