import io

import pytest

from hub.cli.commands import values
from hub.cli.commands.documents import as_yaml
from hub.cli.failure import Failed, Usage
from hub.cli.show import Screen


def test_pairs_are_texts_files_json_and_groups(tmp_path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("PEM")

    found = values.pairs(["a=1", f"key=@{file}", 'list=["x"]', "poll.enabled=true", "b=x=y"])

    assert found == {
        "a": "1",
        "key": "PEM",
        "list": ["x"],
        "poll": {"enabled": "true"},
        "b": "x=y",
    }


def test_a_dash_asks_for_the_secret(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\n"))

    assert values.pairs(["api_key=-"]) == {"api_key": "s3cret"}


def test_a_secret_on_the_line_draws_a_warning() -> None:
    screen = Screen(out=io.StringIO())

    values.pairs(["api_key=abc", "other=abc"], secret={"api_key"}, screen=screen)

    assert isinstance(screen.out, io.StringIO)
    assert (screen.out.getvalue().splitlines()) == [
        "! The value of api_key is now in the shell's history; api_key=- asks for it."
    ]


@pytest.mark.parametrize("given", ["a", "=1", "a=[1", "a=1 b"])
def test_what_is_no_pair_is_refused(given: str) -> None:
    if given == "a=1 b":
        assert values.pairs([given]) == {"a": "1 b"}
        return
    with pytest.raises(Usage):
        values.pairs([given])


def test_a_value_can_not_be_a_group_too() -> None:
    with pytest.raises(Usage, match="both"):
        values.pairs(["a=1", "a.b=2"])


def test_documents_are_json_yaml_files_or_input(tmp_path, monkeypatch) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a: [1, 2]")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"b": 1}'))

    assert values.mapping('{"x": true}') == {"x": True}
    assert values.mapping(f"@{file}") == {"a": [1, 2]}
    assert values.mapping("-") == {"b": 1}


@pytest.mark.parametrize("given", ["[1]", "{", "@/nowhere", "text"])
def test_what_is_no_document_is_refused(given: str) -> None:
    with pytest.raises(Failed):
        values.mapping(given)


def test_on_is_a_name_in_a_rule_and_true_is_a_truth() -> None:
    assert values.mapping("on: [a]\nyes: no\nx: true\ny: False") == {
        "on": ["a"],
        "yes": "no",
        "x": True,
        "y": False,
    }


def test_documents_are_written_as_people_edit_them_and_read_back() -> None:
    document = {"on": ["a.b"], "body": "first\n\nlast", "n": True}

    text = as_yaml(document)

    assert text == "'on':\n- a.b\nbody: |-\n  first\n\n  last\nn: true"
    assert values.mapping(text) == document
