"""For the whole suite: no real instance within reach, the quick proofs first, the browser last."""

import os
import shutil

import pytest

# A test must never find the instance of whoever runs it.
for _name in [name for name in os.environ if name.startswith("MELDPUNT_")]:
    del os.environ[_name]


def _stage(item: pytest.Item) -> int:
    """Fast, slow, browser: in one run, so that one closing line counts them all."""
    return 2 if item.get_closest_marker("browser") else 1 if item.get_closest_marker("slow") else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests by stage and say which need a browser that is not there."""
    items.sort(key=_stage)
    if shutil.which("chromium") is None:
        for item in items:
            if _stage(item) == 2:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium (on Debian: apt install chromium)"))
