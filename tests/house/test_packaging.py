"""What is installed is what stands in the checkout: the packages, the pages, the migrations, the locks."""

import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from weerbaar_meldpunt import places

HOUSE = Path(__file__).parents[2]
SHIPPED = ("weerbaar_meldpunt", "templates", "migrations")
PIN = re.compile(r"^[a-z0-9_.-]+==\S+(?: ; .*?)?(?= \\$)", re.MULTILINE)


def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(HOUSE / "setup.cfg", "utf-8")
    return parser


def inside_the_package(path: Path) -> str:
    """Where a path of the checkout stands once installed."""
    relative = path.relative_to(HOUSE).as_posix()
    return relative if relative.startswith("weerbaar_meldpunt") else f"weerbaar_meldpunt/{relative}"


def shipped_files():
    for folder in SHIPPED:
        for path in (HOUSE / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.name != ".gitkeep":
                yield path


def test_the_list_of_packages_is_the_folders_that_hold_an_init():
    listed = set(setup_cfg()["options"]["packages"].split())

    folders = {path.parent for path in shipped_files() if path.name == "__init__.py"}

    assert listed == {inside_the_package(folder).replace("/", ".") for folder in folders}


def test_every_python_file_stands_in_a_folder_that_ships():
    loose = {path for path in shipped_files() if path.suffix == ".py" and not (path.parent / "__init__.py").exists()}

    assert {path.parent for path in loose} <= {HOUSE / "migrations" / "versions"}


def test_all_that_runs_is_tested_in_the_very_same_version():
    run, dev = (set(PIN.findall((HOUSE / "requirements" / name).read_text())) for name in ("run.txt", "dev.txt"))

    assert run
    assert run <= dev


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_a_lock_names_no_host_and_hashes_every_package(name):
    lock = (HOUSE / "requirements" / name).read_text()

    assert "://" not in lock
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", lock.strip()))


def test_every_declared_need_is_locked():
    locked = (HOUSE / "requirements" / "run.txt").read_text()
    needs = re.findall(r"^[A-Za-z0-9-]+", setup_cfg()["options"]["install_requires"], re.MULTILINE)

    assert needs
    assert [need for need in needs if f"\n{need.lower()}==" not in f"\n{locked}"] == []


def test_a_missing_folder_is_named_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_PACKAGE", tmp_path / "site" / "weerbaar_meldpunt")

    with pytest.raises(FileNotFoundError, match="migrations"):
        places.migrations_folder()


def test_without_its_packages_the_program_says_what_to_do(tmp_path):
    shutil.copytree(HOUSE / "weerbaar_meldpunt", tmp_path / "weerbaar_meldpunt")

    # -S: a Python without anything installed.
    answer = subprocess.run(
        [sys.executable, "-S", "-m", "weerbaar_meldpunt", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert "is not installed" in answer.stderr
    assert "Traceback" not in answer.stderr


class Installed:
    """The program as an operator has it: from the wheel, in an environment of its own, far from any checkout."""

    def __init__(self, root: Path) -> None:
        self.elsewhere = root / "else where"
        self.elsewhere.mkdir()
        self.wheel = self._build(root / "tree")
        self.bin = root / "environment" / "bin"
        self._install(root / "environment")
        self.environment = {"PATH": os.defpath, "HOME": str(root), "MELDPUNT_INSTANCE": str(root / "instance")}

    def _build(self, tree: Path) -> Path:
        # Of a copy: a build leaves a folder behind, whose old files would come along next time.
        tree.mkdir()
        for name in SHIPPED:
            shutil.copytree(HOUSE / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(HOUSE / name, tree)
        done = subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tree.parent), str(tree)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.rmtree(tree)
        (wheel,) = tree.parent.glob("*.whl")
        return wheel

    def _install(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(self.bin / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        lock = HOUSE / "requirements" / "run.txt"
        subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], check=True)
        subprocess.run([*pip, "--no-deps", str(self.wheel)], check=True)

    def call(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.bin / "meldpunt"), *arguments],
            cwd=self.elsewhere,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("in stalled"))


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_checkout_and_no_other(installed):
    with zipfile.ZipFile(installed.wheel) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert held == {inside_the_package(path) for path in shipped_files() if path.suffix not in {".po", ".pot"}}


@pytest.mark.slow
def test_the_wheel_carries_its_licence_and_nobodys_instance(installed):
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = wheel.namelist()

    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "instance/" in name or "tests/" in name]


@pytest.mark.slow
def test_the_installed_program_finds_its_pages_and_migrations(installed):
    code = "from weerbaar_meldpunt import places as p; print(p.templates_folder(), p.migrations_folder(), sep='\\n')"
    done = subprocess.run(
        [str(installed.bin / "python"), "-c", code], cwd=installed.elsewhere, capture_output=True, text=True, check=True
    )

    library = Path(sysconfig.get_path("purelib", vars={"base": str(installed.bin.parent)}))
    assert done.stdout.splitlines() == [
        str(library / "weerbaar_meldpunt" / name) for name in ("templates", "migrations")
    ]


@pytest.mark.slow
def test_the_installed_program_makes_a_demonstration_and_serves_it(installed):
    assert "route" in installed.call("--help")
    installed.call("demo", "--cases", "12", "--months", "2")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]

    log = installed.elsewhere.parent / "serve.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [str(installed.bin / "meldpunt"), "serve", "--port", str(port)],
            cwd=installed.elsewhere,
            env=installed.environment,
            stdout=output,
            stderr=output,
        )
    try:
        page = first_answer(f"http://localhost:{port}/", server)
    finally:
        server.terminate()
        server.wait(20)

    assert "<h1" in page, log.read_text()
    assert 'lang="nl"' in page
    assert list(installed.elsewhere.iterdir()) == []


def first_answer(address: str, server: subprocess.Popen[bytes]) -> str:
    """The page at an address, once the server is up."""
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.read().decode()
        except OSError:
            time.sleep(0.2)
    return ""
