"""`python -m weerbaar_meldpunt`: the same as `meldpunt`, and a plain word when the packages are not installed."""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> str | int | None:
    """Run the command line, for an operator in a checkout; exit status 2 when a package is missing."""
    try:
        cli = import_module("weerbaar_meldpunt.cli")
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "weerbaar_meldpunt":
            raise
        sys.stderr.write(
            f"The package {missing.name} is not installed. `make run` installs all that is needed in .venv;\n"
            "after that: .venv/bin/meldpunt\n"
        )
        return 2
    status: str | int | None = cli.main()
    return status


if __name__ == "__main__":
    sys.exit(main())
