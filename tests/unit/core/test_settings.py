from pathlib import Path

import pytest

from hub.errors import StartRefused
from hub.settings import HubSettings, load_settings, local_token


def leaves(model: type, prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and hasattr(inner, "model_fields"):
            found += leaves(inner, f"{prefix}{name}__")
        else:
            found.append(f"{prefix}{name}")
    return found


def test_the_default_is_sqlite_in_the_data_folder(tmp_path: Path):
    settings = load_settings(data_dir=tmp_path)

    assert f"sqlite+aiosqlite:///{tmp_path / 'hub.db'}" == settings.database_url
    assert settings.embedded


def test_a_postgresql_url_means_several_processes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUB_DATABASE__URL", "postgresql+asyncpg://hub@db/hub")

    assert not load_settings().embedded


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUB_HTTP__PORT", "eighty")
    monkeypatch.setenv("HUB_DISPATCH__SHARDS", "0")

    with pytest.raises(StartRefused) as refused:
        load_settings()

    assert "HUB_HTTP__PORT" in str(refused.value)
    assert "HUB_DISPATCH__SHARDS" in str(refused.value)


def test_a_request_must_end_before_the_heartbeat(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUB_DISPATCH__HTTP_TIMEOUT_S", "40")

    with pytest.raises(StartRefused, match="must be below"):
        load_settings()


def test_an_unwritable_data_folder_says_what_to_do(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    with pytest.raises(StartRefused, match="HUB_DATA_DIR"):
        load_settings(data_dir=blocked / "inside").prepare_data_dir()


def test_the_data_folder_is_made_for_its_owner_only(tmp_path: Path):
    folder = load_settings(data_dir=tmp_path / "data").prepare_data_dir()

    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_public_url_has_no_slash_at_its_end():
    assert (
        load_settings(http={"public_url": "https://hub.example/"}).public_url
        == "https://hub.example"
    )


def test_a_local_token_is_found_where_serve_left_it(tmp_path: Path):
    assert local_token(tmp_path) is None

    (tmp_path / "operator.token").write_text("hub_abc\n")

    assert local_token(tmp_path) == "hub_abc"


def test_there_are_at_most_forty_settings():
    assert len(leaves(HubSettings)) <= 40


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("HUB_HTTP__PRT", "There is no such setting. Did you mean HUB_HTTP__PORT?"),
        ("HUB_DISPATCH__QQQQ_ZZZZ_XXXX", "There is no such setting; docs/reference/settings.md"),
    ],
)
def test_an_unknown_variable_is_answered_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, variable: str, said: str
) -> None:
    monkeypatch.setenv(variable, "1")

    with pytest.raises(StartRefused) as refused:
        load_settings()

    assert f"{variable}: {said}" in str(refused.value)
