"""References to secrets: where they may lead, and where not."""

import os
from pathlib import Path

import pytest

from hub.builtins.secrets import EnvironmentSecrets, FileSecrets, SecretPlaces
from hub.sdk.errors import AuthenticationFailed


def environment(allowed: str = "*", **variables: str) -> EnvironmentSecrets:
    return EnvironmentSecrets(variable=variables.get, allowed=allowed)


async def test_a_variable_is_read() -> None:
    assert await environment(KEY="abc").read("env:KEY") == "abc"
    assert await environment(HUB_SECRET_PD="abc").read("env:HUB_SECRET_PD") == "abc"


@pytest.mark.parametrize("name", ["HUB_SECRETS__KEY", "HUB_DATABASE__URL", "MISSING", "EMPTY"])
async def test_the_hubs_own_variables_and_missing_ones_are_not(name: str) -> None:
    places = environment(HUB_SECRETS__KEY="k", HUB_DATABASE__URL="u", EMPTY="")

    with pytest.raises(AuthenticationFailed, match=name):
        await places.read(f"env:{name}")


async def test_variables_can_be_narrowed() -> None:
    places = environment("PD_*, SF_*", PD_KEY="a", OTHER="b")

    assert await places.read("env:PD_KEY") == "a"
    with pytest.raises(AuthenticationFailed, match="HUB_SECRETS__VARIABLES"):
        await places.read("env:OTHER")


async def test_a_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\n")

    assert await FileSecrets(data_dir=tmp_path / "data").read(f"file:{tmp_path}/key") == "abc"
    assert await FileSecrets(data_dir=tmp_path / "data", folder=tmp_path).read("file:key") == "abc"


async def test_the_data_folder_and_the_system_are_out_of_reach(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "master.key").write_text("k")
    (tmp_path / "link").symlink_to(data / "master.key")
    places = FileSecrets(data_dir=data)

    for target in (data / "master.key", tmp_path / "link", data / ".." / "data" / "master.key",
                   Path(f"/proc/{os.getpid()}/environ")):  # fmt: skip
        with pytest.raises(AuthenticationFailed, match="may not be referred to"):
            await places.read(f"file:{target}")


async def test_a_named_folder_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_text("x")
    places = FileSecrets(data_dir=tmp_path / "data", folder=tmp_path / "in")

    for reference in (f"file:{tmp_path}/out", "file:../out"):
        with pytest.raises(AuthenticationFailed, match="HUB_SECRETS__FOLDER"):
            await places.read(reference)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * 70_000])
async def test_what_can_not_be_a_secret_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(AuthenticationFailed, match="key"):
        await FileSecrets(data_dir=tmp_path / "data").read(f"file:{file}")


def test_the_plugin_brings_both(tmp_path: Path) -> None:
    places = SecretPlaces(variable={}.get, variables="*", data_dir=tmp_path)

    assert [one.scheme for one in places.hub_register_secret_backends()] == ["env", "file"]
