"""Where the folders that are not Python stand: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    # By path: in an editable install `weerbaar_meldpunt.templates` cannot be imported.
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"the folder {name} is missing: this installation is not complete")


def templates_folder() -> Path:
    """The pages and letters, for Flask; `FileNotFoundError` when the installation is not complete."""
    return _folder("templates")


def migrations_folder() -> Path:
    """The versions of the tables, for alembic; `FileNotFoundError` when the installation is not complete."""
    return _folder("migrations")


def static_folder() -> Path:
    """Styles, scripts and fonts, for Flask; `FileNotFoundError` when the installation is not complete."""
    return _folder("static")
