"""Promises about the source itself (T2) that import-linter cannot see."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PACKAGE = HOUSE / "weerbaar_meldpunt"
CRYPTOGRAPHY = {"cryptography", "hmac", "secrets"}
SQL_TAKERS = {"text", "execute", "scalar", "scalars", "exec_driver_sql", "literal_column"}
# What a browser fetches by itself, and where a form sends what was typed; a plain link may lead elsewhere.
FETCHED = {
    ("link", "href"),
    ("use", "href"),
    ("image", "href"),
    *(("*", name) for name in ("src", "srcset", "poster", "data", "action", "formaction", "background")),
}


def sources(*folders: Path):
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def trees(*folders: Path):
    for path in sources(*folders):
        yield path, ast.parse(path.read_text("utf-8"))


def imports(tree: ast.AST):
    """The top name of everything imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def built_at_run_time(node: ast.expr) -> bool:
    """Whether a text is put together from pieces: f"…", "…" % x, "…" + x, "…".format(x)."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        return any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides) or any(
            built_at_run_time(side) for side in sides
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return isinstance(node.func.value, ast.Constant)
    return False


def sql_put_together(tree: ast.AST):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SQL_TAKERS and built_at_run_time(node.args[0]):
                yield node.lineno


def test_only_the_vault_imports_cryptography():
    others = [
        f"{path.relative_to(HOUSE)}: {name}"
        for path, tree in trees(PACKAGE, HOUSE / "migrations")
        if PACKAGE / "vault" not in path.parents
        for name in imports(tree)
        if name in CRYPTOGRAPHY
    ]

    assert others == []


def test_nothing_is_left_to_a_guessable_chance():
    def demonstration(path: Path) -> bool:
        return path.parent == PACKAGE / "actions" and path.name.startswith("demonstration")

    users = [(path, tree) for path, tree in trees(PACKAGE, HOUSE / "migrations") if "random" in set(imports(tree))]

    assert [str(path.relative_to(HOUSE)) for path, _ in users if not demonstration(path)] == []


def test_the_demonstration_draws_from_a_seed_so_that_it_is_the_same_each_time():
    unseeded = []
    for path, tree in trees(PACKAGE / "actions"):
        for node in ast.walk(tree):
            module = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random"
            if module and node.attr != "Random":
                unseeded.append(f"{path.name}:{node.lineno} random.{node.attr}")
            if isinstance(node, ast.ImportFrom) and node.module == "random":
                unseeded += [
                    f"{path.name}:{node.lineno} {alias.name}" for alias in node.names if alias.name != "Random"
                ]

    assert unseeded == []


def test_fernet_is_not_used():
    named = [
        str(path.relative_to(HOUSE))
        for path, tree in trees(PACKAGE)
        if any("fernet" in name.lower() for name in identifiers(tree))
    ]

    assert named == []


def identifiers(tree: ast.AST):
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_sql_is_put_together_from_pieces():
    found = [
        f"{path.relative_to(HOUSE)}:{line}"
        for path, tree in trees(PACKAGE, HOUSE / "migrations")
        for line in sql_put_together(tree)
    ]

    assert found == []


@pytest.mark.parametrize(
    "code",
    ['text(f"select {x}")', 's.execute("select " + x)', 'c.exec_driver_sql("select %s" % x)', 'text("{}".format(x))'],
)
def test_sql_from_pieces_would_be_seen(code):
    assert list(sql_put_together(ast.parse(code))) == [1]


class Page(HTMLParser):
    """Collects what a strict content security policy would refuse, or what would tell a stranger of the visit."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "style":
            self.faults.append("<style>")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.faults.append("inline script")
        for name, raw in attrs:
            value = (raw or "").strip().lower()
            if name == "style" or name.startswith("on"):
                self.faults.append(f"<{tag} {name}>")
            if value.startswith("javascript:"):
                self.faults.append(f"<{tag} {name}=javascript:>")
            fetched = (tag, name) in FETCHED or ("*", name) in FETCHED
            if fetched and re.match(r"(?:[a-z][a-z0-9+.-]*:)?//", value):
                self.faults.append(f"<{tag} {name}={value}>")


def faults_of(template: str) -> list[str]:
    page = Page()
    # Without what Jinja fills in: quotes in it would end an attribute too early.
    page.feed(re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "_", template, flags=re.DOTALL))
    page.close()
    return page.faults


def test_no_page_holds_inline_style_or_script_or_fetches_from_strangers():
    pages = [path for ending in ("html", "svg") for path in (HOUSE / "templates").rglob(f"*.{ending}")]
    pages += (PACKAGE / "static").rglob("*.svg")

    assert {
        str(path.relative_to(HOUSE)): found for path in pages if (found := faults_of(path.read_text("utf-8")))
    } == {}


@pytest.mark.parametrize(
    "template",
    [
        '<p style="color: red">',
        "<style>p {}</style>",
        "<script>x</script>",
        '<a href="{{ url_for("x") }}" onclick="y">',
        '<a href=" JavaScript:x">',
        '<script src="//cdn.example/x.js"></script>',
        '<img src="https://example.nl/x.png">',
        '<form action="https://example.nl/">',
    ],
)
def test_a_forbidden_page_would_be_seen(template):
    assert len(faults_of(template)) == 1


def test_a_page_may_link_elsewhere_and_load_its_own_script():
    own = '<script src="{{ url_for("static", filename="x.js") }}" defer></script>'

    assert faults_of(own + '<a href="https://example.nl/">') == []


def test_no_style_sheet_fetches_from_strangers():
    foreign = re.compile(r"""(?:url\(|@import)\s*["']?\s*(?:[a-z]+:)?//""", re.IGNORECASE)
    sheets = [path for path in (PACKAGE / "static").rglob("*.css") if foreign.search(path.read_text("utf-8"))]

    assert sheets == []
