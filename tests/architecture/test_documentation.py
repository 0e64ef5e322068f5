"""What the pages say is what the code does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from hub import builtins
from hub.catalog import load_plugins
from hub.catalog.pages import hooks, hookspecs_page, sdk_page, signature_of
from hub.errors import HubError
from hub.settings import HubSettings
from hub.testing import PluginContract
from hub.testing.transports import FAULTS
from tests.architecture.tree import DOCS, PLUGINS, ROOT, pages, parsed, shown, suites

REFERENCE = DOCS / "reference"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def test_the_pages_of_hooks_and_sdk_are_as_the_code_says():

    assert (REFERENCE / "hookspecs.md").read_text() == hookspecs_page()
    assert (REFERENCE / "sdk.md").read_text() == sdk_page()


@pytest.mark.parametrize("name", hooks())
def test_a_hook_has_a_heading_with_its_exact_signature(name):
    page = (REFERENCE / "hookspecs.md").read_text()

    assert f"\n## {name}\n\n```python\n{signature_of(hooks()[name])}\n```\n" in page


@pytest.mark.parametrize("name", hooks())
def test_a_hook_has_a_test_of_its_name(name):
    written = {
        node.name
        for file in suites()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert any(one == f"test_hook_{name}" for one in written)


@pytest.mark.parametrize("name", hooks())
def test_a_hooks_docstring_has_the_fixed_form(name):
    text = hooks()[name].__doc__

    assert re.match(r"(Return|Observe) .*\.\n", text), "one imperative sentence first"
    assert "\n    Called " in text
    assert "Example::" in text
    for argument in hooks()[name].__code__.co_varnames:
        assert f":param {argument}:" in text


def leaves(model: type[BaseModel], prefix: str = "HUB_") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += leaves(kind, f"{prefix}{name.upper()}__")
        else:
            found.append(prefix + name.upper())
    return found


@pytest.mark.parametrize("setting", leaves(HubSettings))
def test_a_setting_has_its_entry(setting):
    assert f"`{setting}`" in (REFERENCE / "settings.md").read_text()


def test_settings_are_few():
    assert len(leaves(HubSettings)) <= 40


@pytest.mark.parametrize("page", pages(), ids=shown)
def test_links_between_pages_lead_somewhere(page):
    broken = []
    for target in LINK.findall(_without_code(page.read_text(encoding="utf-8"))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)

    assert broken == []


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def _anchors(file: Path) -> set[str]:
    if file.suffix != ".md":
        return set()
    heads = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads)
    given = re.findall(r'<a (?:id|name)="([^"]+)"', file.read_text(encoding="utf-8"))
    return {*plain, *given}


def test_every_page_is_reached_from_the_front():
    """The contents page names all others, so that none is lost."""
    front = DOCS / "index.md"
    named = {(DOCS / one.partition("#")[0]).resolve() for one in LINK.findall(front.read_text())}
    lost = [
        shown(page)
        for page in DOCS.rglob("*.md")
        if page != front
        and page.resolve() not in named
        and page.parent.name not in {"decisions", "plugins"}
    ]

    assert lost == []


@pytest.mark.parametrize("kind", ["tutorials", "how-to", "reference", "explanation", "decisions"])
def test_the_documentation_has_the_four_kinds_and_the_decisions(kind):
    assert list((DOCS / kind).glob("*.md"))


SAMPLE = ROOT / "tests" / "thirdparty" / "zendesk"  # codespell:ignore thirdparty


@pytest.mark.parametrize(
    "name", ["hub_zendesk.py", "pyproject.toml", "test_contract.py", "send.py"]
)
def test_the_tutorial_shows_the_files_that_are_tested(name):
    page = (DOCS / "tutorials" / "first-plugin.md").read_text()
    blocks = re.findall(r"```\w+\n# (\S+)\n(.*?)```", page, flags=re.DOTALL)

    told = "".join(code for named, code in blocks if named == name)

    assert _code(told) == _code(re.sub(r"  # noqa.*", "", (SAMPLE / name).read_text()))


@pytest.mark.parametrize(
    "file",
    [SAMPLE / "README.md", SAMPLE / "tickets.yaml", *sorted((SAMPLE / "payloads").glob("*.json"))],
    ids=lambda one: one.name,
)
def test_the_tutorial_shows_each_file_whole(file):
    page = (DOCS / "tutorials" / "first-plugin.md").read_text()

    assert f"\n{file.read_text().strip()}\n```" in page


def _code(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda one: one.name)
def test_a_plugin_has_its_how_to(plugin):
    assert (DOCS / "how-to" / f"connect-{plugin.name}.md").is_file()


def test_the_glossary_has_the_words_of_the_tables():
    glossary = (REFERENCE / "glossary.md").read_text()

    for word in ("tenant", "connector", "delivery", "event", "run", "lane", "correlation", "link"):
        assert f"| **{word}**" in glossary


def test_each_check_of_the_kit_has_its_entry():
    page = (REFERENCE / "contract-kit.md").read_text()
    listed = set(re.findall(r"^\| `(test_\w+)` \|", page, flags=re.MULTILINE))

    assert listed == {name for name in vars(PluginContract) if name.startswith("test_")}


def test_each_fault_of_the_kit_has_its_entry():
    page = (REFERENCE / "contract-kit.md").read_text()
    answers = {str(one.status) for one in FAULTS if one.status}

    assert {one for one in answers if one not in page} == set()


def test_each_problem_has_its_entry():
    page = (REFERENCE / "problems.md").read_text()

    assert [
        one.slug() for one in _children(HubError) if f"/problems/{one.slug()}`" not in page
    ] == []


def test_problems_have_slugs_and_statuses_of_their_own():
    found = list(_children(HubError))

    assert len({one.slug() for one in found}) == len(found)
    assert [one.__name__ for one in found if not 400 <= one.status < 600] == []


def _children(kind: type[HubError]) -> Iterator[type[HubError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _children(one)


def test_each_operator_and_filter_has_its_entry():
    page = (REFERENCE / "catalog.md").read_text()
    catalog = load_plugins(builtins.modules(), entry_points=()).catalog

    assert [
        one for one in (*catalog.operators, *catalog.filters) if f"| `{one}` |" not in page
    ] == []
