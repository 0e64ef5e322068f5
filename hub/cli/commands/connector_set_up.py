"""`hub connector keypair` and `apex`: what is pasted into a vendor's set-up."""

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import segment
from hub.cli.failure import Failed
from hub.cli.session import Session, command

Name = Annotated[str, typer.Argument(help="The connector's name.")]
_OWN_ONLY = 0o600


def attach(app: typer.Typer) -> None:
    """Add the commands to the connectors' group."""
    command(app, "keypair", example="hub connector keypair prod-salesforce")(keypair)
    command(app, "apex", example="hub connector apex prod-salesforce --folder apex")(apex)


def keypair(
    session: Session,
    name: Name,
    *,
    common_name: Annotated[str, typer.Option(help="Whom the certificate names.")] = "",
    key: Annotated[Path | None, typer.Option(help="Write the private key to this file.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Write the certificate to this file.")
    ] = None,
    keep: Annotated[
        bool, typer.Option(help="Give the private key to the connector, as its setting.")
    ] = False,
) -> None:
    """Make a private key and its certificate, as OpenSSL would; the certificate is uploaded."""
    body = {"common_name": common_name} if common_name else {}
    made = session.hub.post(f"connectors/{segment(name)}/queries/key_pair", body)
    if key is not None:
        _write(key, made["private_key"])
    if certificate is not None:
        certificate.write_text(made["certificate"], encoding="utf-8")
    if keep:
        settings = {"settings": {"private_key": made["private_key"]}}
        session.hub.change(f"connectors/{segment(name)}", settings)
    shown = {"certificate": made["certificate"]}
    if key is None and not keep:
        shown["private_key"] = made["private_key"]
    session.show(shown, lambda: session.screen.text("\n".join(shown.values())))


def apex(
    session: Session,
    name: Name,
    *,
    object: Annotated[
        list[str] | None, typer.Option("--object", help="Only for this object; may be repeated.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Write the files into this folder.")] = None,
) -> None:
    """Print the triggers, classes and test class to install for pushes, filled in."""
    body = {"objects": object} if object else {}
    found = session.hub.post(f"connectors/{segment(name)}/queries/apex", body)
    files: dict[str, str] = found["files"]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            _plain_file(folder, file).write_text(text, encoding="utf-8")
    session.show(found, lambda: _print_files(session, files, folder))


def _print_files(session: Session, files: dict[str, str], folder: Path | None) -> None:
    for file, text in files.items():
        if folder is not None:
            session.screen.line(str(folder / file))
        else:
            session.screen.line(f"// ---- {file}")
            session.screen.text(text)


def _plain_file(folder: Path, name: str) -> Path:
    if Path(name).name != name:
        raise Failed(f"The plugin names a file outside of the folder: {name}")
    return folder / name


def _write(file: Path, text: str) -> None:
    """Write a secret that only its owner can read."""
    file.touch(mode=_OWN_ONLY)
    file.chmod(_OWN_ONLY)
    file.write_text(text, encoding="utf-8")


def rows_of(found: dict[str, Any]) -> tuple[list[tuple[Any, ...]], tuple[str, ...]] | None:
    """Return a query's rows as a table, where its answer is one."""
    rows = found.get("rows")
    if not isinstance(rows, list) or not rows:
        return None
    header = tuple(rows[0])
    return [tuple(row.get(name) for name in header) for row in rows], header
