"""What the environment carries besides packages, and the files that say what it is made of."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import validate
from jupyter_core.paths import jupyter_path
from jupyterlab.commands import get_app_dir
from jupyterlab_server.config import get_federated_extensions
from jupyterlab_server.settings_utils import get_settings

ROOT = Path(__file__).resolve().parents[1]
CARRIED = ROOT / "environment"
FILES = sorted(path.relative_to(CARRIED) for path in CARRIED.rglob("*") if path.is_file())
DEFAULTS = [
    ("@jupyterlab/apputils-extension:notification", "fetchNews", "false"),
    ("@jupyterlab/apputils-extension:notification", "checkForUpdates", False),
    ("@jupyterlab/notebook-extension:tracker", "windowingMode", "defer"),
]
TOOLS = ("pytest", "nbval", "hypothesis", "playwright", "ruff", "pre-commit", "sphinx", "myst-nb")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_file_of_ours_stands_in_the_environment(file):
    installed = Path(sys.prefix) / file
    assert installed.is_file(), f"expected {installed}: pip install -e ."
    assert installed.read_text("utf-8") == (CARRIED / file).read_text("utf-8")


@pytest.mark.parametrize(("plugin", "name", "value"), DEFAULTS)
def test_a_reader_without_settings_gets_ours(plugin, name, value, tmp_path):
    app = Path(get_app_dir())
    given, _ = get_settings(app / "settings", app / "schemas", tmp_path, plugin)
    schema = given["schema"]["properties"][name]
    assert schema["default"] == value
    validate(value, schema)  # JupyterLab knows this value


def test_jupyterlab_finds_the_extension_and_its_script():
    found = get_federated_extensions(jupyter_path("labextensions"))["autoencoder-to-vae"]
    script = Path(found["ext_path"]) / found["jupyterlab"]["_build"]["load"]
    assert '"toc:show-panel"' in script.read_text("utf-8")
    assert found["version"] == VERSION


def packages(name: str) -> dict[str, str]:
    """The versions that a file of requirements pins, by package."""
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith(("#", "-")))


def test_readers_install_no_tools_and_contributors_all_that_readers_do():
    reader, dev = packages("requirements.txt"), packages("requirements-dev.txt")
    assert not reader.keys() & {*TOOLS, *dev}
    assert dev.keys() >= set(TOOLS)
    assert "-e ." in (ROOT / "requirements.txt").read_text().splitlines()
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text().splitlines()


def test_all_files_name_one_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == VERSION
    assert f"## [{VERSION}] - " in (ROOT / "CHANGELOG.md").read_text()


def steps_of(file):
    """Lists of what a workflow's jobs, or an action, run: commands, and actions by name."""
    text = yaml.safe_load((ROOT / ".github" / file).read_text("utf-8"))
    lists = [part["steps"] for part in (text.get("jobs") or {"": text["runs"]}).values()]
    return [[step.get("run") or step["uses"] for step in steps] for steps in lists]


@pytest.mark.parametrize("name", ["tests.yml", "site.yml", "release.yml"])
def test_a_workflow_installs_cpu_builds_before_make_does(name):
    (action,) = steps_of("actions/environment/action.yml")
    assert "--torch-backend cpu" in action[-1]
    jobs = steps_of(f"workflows/{name}")
    (steps,) = [s for s in jobs if any(re.search(r"make (test|site|release)\b", one) for one in s)]
    first = next(place for place, one in enumerate(steps) if one.startswith("make "))
    assert "./.github/actions/environment" in steps[:first]
