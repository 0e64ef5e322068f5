"""The programs of others: are they here, and what do they say?"""

import json
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sf_server import Served

from hub_salesforce import apex
from hub_salesforce.auth.oauth import sign
from hub_salesforce.testing import CONSUMER_KEY, CONSUMER_SECRET, INTEGRATION

HERE = Path(__file__).resolve().parent
PACKAGES = ("@jsforce/jsforce-node", "@apexdevtools/apex-parser")


def missing_python() -> str | None:
    """Return why simple-salesforce can't be used."""
    return None if find_spec("simple_salesforce") else "simple-salesforce is not installed"


def missing_node() -> str | None:
    """Return why the npm packages can't be used."""
    if shutil.which("node") is None:
        return "Node is not installed"
    for name in PACKAGES:
        if not (modules() / name).is_dir():
            return f"{name} is not installed: npm install in {HERE.name}/"
    return None


def install_node() -> None:
    """Install the npm packages beside this file, where npm is here."""
    if missing_node() is None or shutil.which("npm") is None:
        return
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    subprocess.run(command, cwd=HERE, check=False, capture_output=True, timeout=300)


def modules() -> Path:
    """Return the folder of the npm packages: beside this file, or as NODE_PATH says."""
    beside = HERE / "node_modules"
    return beside if beside.is_dir() else Path(os.environ.get("NODE_PATH", str(beside)))


def run_jsforce(served: Served) -> dict[str, Any]:
    """Let jsforce take its steps."""
    claims = {
        "iss": CONSUMER_KEY,
        "sub": INTEGRATION,
        "aud": "https://login.salesforce.com",
        "exp": int(served.org.world.now().timestamp()) + 120,
    }
    given = {
        "url": served.url,
        "key": CONSUMER_KEY,
        "secret": CONSUMER_SECRET,
        "username": INTEGRATION,
        "password": "correct horse",
        "organization": served.org.world.id,
        "assertion": sign(claims, served.org.credentials.keys.private_key),
    }
    found: dict[str, Any] = _node("sf_jsforce.cjs", json.dumps(given))
    return found


def parse(texts: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return what the public parser says of {name, rule, text} each."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file)
        file.flush()
        found: list[dict[str, Any]] = _node("sf_parse.cjs", file.name)
    return found


def apex_texts() -> list[dict[str, str]]:
    """Return the shipped Apex, and a trigger for another object."""
    files = {**apex.sources(), **dict([apex.trigger_for("My_Thing__c", "Thing")])}
    rules = {".trigger": "triggerUnit", ".cls": "compilationUnit"}
    return [
        {"name": name, "rule": rules[Path(name).suffix], "text": text}
        for name, text in files.items()
    ]


def _node(script: str, argument: str) -> Any:
    env = {**os.environ, "NODE_PATH": str(modules()), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [str(shutil.which("node")), str(HERE / script), argument],
        env=env, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if done.returncode or not done.stdout.strip():
        raise RuntimeError(f"{script} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])
