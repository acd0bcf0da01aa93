from __future__ import annotations

from collections.abc import Iterator

import pytest

from radiogram.crypto import srp
from tests.server.stage import MakeStage, Stage

_HASHES: dict[tuple[bytes, bytes, bytes], int] = {}


@pytest.fixture
def remembered_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash a password once per salt: each time costs a tenth of a second."""
    real = srp.password_hash

    def hashed(password: bytes, salt1: bytes, salt2: bytes) -> int:
        name = password, salt1, salt2
        if name not in _HASHES:
            _HASHES[name] = real(*name)
        return _HASHES[name]

    monkeypatch.setattr(srp, "password_hash", hashed)


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
