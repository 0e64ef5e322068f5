"""Names say what a thing is or does."""

import ast
import re

from tests.architecture.tree import modules, parsed, shown

VAGUE_FILE = re.compile(r"^(utils?|helpers?|managers?|common|misc|tools|base)$")
VAGUE_CLASS = re.compile(
    r"(Manager|Utils?|Helpers?|Data|Info|Processor|Handler)$|^_?(Base|Abstract)[A-Z]"
)
VAGUE_FUNCTION = re.compile(r"^_?(process|handle|do|manage)_|^(process|handle)$")
ALLOWED_FILES = {"hub/db/base.py"}  # SQLAlchemy's word for what all tables share
FOREIGN = {  # names that another library's protocol prescribes
    "process_bind_param",
    "process_result_value",
    "process_response",
    "handle_async_request",
    "handle_starttag",
    "handle_endtag",
    "handle_data",
}


def test_no_file_is_named_after_nothing():
    vague = [
        shown(file)
        for file in modules()
        if VAGUE_FILE.match(file.stem) and shown(file) not in ALLOWED_FILES
    ]

    assert vague == []


def test_no_class_is_named_after_nothing():
    vague = [
        f"{shown(file)}:{node.lineno} {node.name}"
        for file in modules()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name)
    ]

    assert vague == []


def test_no_function_is_named_after_nothing():
    vague = [
        f"{shown(file)}:{node.lineno} {node.name}"
        for file in modules()
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and VAGUE_FUNCTION.match(node.name)
        and node.name not in FOREIGN
    ]

    assert vague == []


def test_domains_use_the_same_file_names():
    """`models, repository, schemas, service, endpoints`: never a synonym."""
    synonyms = {"views", "routes", "routers", "router", "api", "handlers", "dao", "dto", "entities"}
    domains = [file.parent for file in modules() if file.name == "models.py"]

    assert [
        shown(one) for domain in domains for one in domain.iterdir() if one.stem in synonyms
    ] == []
