"""The hub's files say what docs/hub promises. `make bench-hub` starts it; nothing here does."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

HUB = Path(__file__).resolve().parents[1] / "docs" / "hub"


class Settings(SimpleNamespace):
    """Stands in for traitlets' Config: a part that nobody has named yet is there, and empty."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, Settings())
        return getattr(self, name)


@pytest.fixture
def config():
    settings, path = Settings(), HUB / "jupyterhub_config.py"
    code = compile(path.read_text("utf-8"), path, "exec")
    exec(code, {"__file__": str(path), "get_config": lambda: settings})
    return settings


def files():
    return [path for path in HUB.iterdir() if path.is_file()]


def test_the_hub_answers_on_this_machine_alone(config):
    assert config.JupyterHub.bind_url.startswith("http://127.0.0.1:")


def test_members_of_the_group_may_log_in_and_nobody_else(config):
    assert vars(config.PAMAuthenticator)["allowed_groups"] == {"course"}
    assert not {"allow_all", "admin_users", "any_allow_config"} & {
        *vars(config.PAMAuthenticator),
        *vars(config.Authenticator),
    }


def test_a_process_is_limited_in_data_and_not_in_addresses(config):
    command = config.Spawner.cmd
    assert command[command.index("prlimit") + 1] == f"--data={2 * 2**30}"  # prlimit knows no units
    assert not any(word.startswith(("--as", "-v")) for word in command)
    assert Path(command[1]).is_file()


def test_places_are_limited_and_the_idle_are_ended(config):
    assert config.JupyterHub.active_server_limit == 30
    (culler,) = config.JupyterHub.services
    assert "--timeout=3600" in culler["command"]
    (role,) = config.JupyterHub.load_roles
    assert role["services"] == [culler["name"]]
    assert not any(scope.startswith("admin") for scope in role["scopes"])


def test_threads_are_set_as_in_the_makefile(config):
    makefile = (HUB.parents[1] / "Makefile").read_text("utf-8")
    wanted = dict(re.findall(r"^export (\w+) \?= (\w+)$", makefile, re.MULTILINE))
    assert len(wanted) == 2
    assert wanted.items() <= config.Spawner.environment.items()


def test_no_file_holds_a_password():
    secret = re.compile(
        r"(password|passwd|token|secret)\w*[\"']?\s*[:=]\s*[\"']?[\w./+-]{3,}", re.I
    )
    assert secret.search('api_token = "0123456789abcdef"')
    for path in files():
        assert not secret.search(path.read_text("utf-8")), path.name


def test_values_say_that_they_were_not_run_and_fit_the_configuration(config):
    text = (HUB / "values.yaml").read_text("utf-8")
    assert text.startswith("# Not run")
    values = yaml.safe_load(text)
    assert values["singleuser"]["memory"] == {"guarantee": "1.5G", "limit": "2.5G"}
    assert values["singleuser"]["defaultUrl"] == config.Spawner.default_url
    limit = config.Spawner.cmd.index("prlimit") + 1
    assert config.Spawner.cmd[limit] in values["singleuser"]["cmd"]
    assert values["singleuser"]["extraEnv"].items() <= config.Spawner.environment.items()
    assert values["cull"] == {"enabled": True, "timeout": 3600, "every": 300}


def test_the_proxy_is_pinned_alike_and_the_readers_packages_hold_no_hub():
    pins = [
        re.findall(r"configurable-http-proxy@[\d.]+", path.read_text("utf-8"))
        for path in (HUB / "README.md", HUB.parents[1] / "benchmarks" / "hub.py")
    ]
    assert pins[0] == pins[1] != []
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "jupyterhub" not in (HUB.parents[1] / name).read_text("utf-8")


@pytest.mark.skipif(shutil.which("sh") is None, reason="start.sh is for Linux")
def test_the_start_copies_the_course_once_and_closes_the_home(tmp_path):
    home = tmp_path / "ada"
    home.mkdir(mode=0o755)

    def start():
        command = ["sh", HUB / "start.sh", "sh", "-c", 'echo "server in $HOME"']
        return subprocess.run(
            command,
            env=os.environ | {"HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert start() == f"server in {home}\n"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    notebooks = {p.name for p in (HUB.parents[1] / "notebooks").glob("*.ipynb")}
    course = home / "course"
    assert {p.name for p in (course / "notebooks").glob("*.ipynb")} == notebooks
    assert (course / "docs" / "glossary.md").is_file()
    assert (course / "img").is_dir()
    assert not (course / "docs" / "teachers").exists()  # they tell the answers
    (course / "notebooks" / "mine.ipynb").write_text("mine")
    (course / "docs" / "glossary.md").write_text("changed")
    start()
    assert (course / "notebooks" / "mine.ipynb").read_text() == "mine"
    assert (course / "docs" / "glossary.md").read_text() == "changed"
    assert [p.name for p in home.iterdir()] == ["course"]
    assert {p.name for p in course.iterdir()} == {"docs", "img", "notebooks"}
