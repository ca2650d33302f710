"""A class on the hub of docs/hub: what do four readers take, and does it hold what it promises?

    make bench-hub     (as root, on Linux with npm and Chromium)

Everything is made for this and removed again: an environment in build/hub that all users can read,
users of the system with passwords that nobody sees, a hub on ports of loopback. Four users log in
with a browser each, at once, run notebook 05 and drag; then each promise is tried. The browsers
share the cores with the kernels, which in a class they do not.
"""

import grp
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from statistics import median
from threading import Barrier, BrokenBarrierError, Event, Thread
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from benchmarks.explorer import CLEAR, EXPLORER_HANDLE, REACH, WATCH
from tests.browser import READY, RUN_ALL, SHUT_DOWN, execute, find_chromium, running_browser

ROOT = Path(__file__).resolve().parents[1]
HUB, BUILD = ROOT / "docs" / "hub", ROOT / "build" / "hub"
PROXY = "configurable-http-proxy@5.3.0"  # as in docs/hub/README.md
GROUP = "course"  # as in docs/hub/jupyterhub_config.py
READERS, SECONDS, RATE = 4, 3, 60
NOTEBOOK = "course/notebooks/05_variational_autoencoder.ipynb"
OTHER = "course/notebooks/02_autoencoder.ipynb"
PATIENCE = 900_000  # milliseconds
STEPS = 2 + 2 + READERS + 2  # how often a lesson waits for the others before the late one comes
NEEDED = ("useradd", "userdel", "groupadd", "chpasswd", "prlimit", "npm")
PROCESSES = {"kernel": "ipykernel", "server": "jupyterhub.singleuser"}
KINDS = {"rss": "all", "uss": "not shared with others", "data": "what the limit counts"}
ARRIVAL, RUN = "to log in and have notebook 01 with its kernel, s", "to run notebook 05, s"
DRAWN, SHARE = "pictures a second in a drag", "share of the browser's frames"
SENT = "messages to the kernel in a drag"
MEASURED = (ARRIVAL, RUN, DRAWN, SHARE, SENT)
# The hub's own configuration, with what only a benchmark needs: its ports, fewer places, and, where
# it is about idle servers, seconds in place of minutes.
CONFIG = """
load_subconfig({config!r})
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.JupyterHub.active_server_limit = {readers}
c.Spawner.args.append("--LabApp.expose_app_in_browser=True")
if {idle}:
    c.JupyterHub.last_activity_interval = 2
    c.Spawner.environment["JUPYTERHUB_ACTIVITY_INTERVAL"] = "2"
    c.Spawner.args.append("--MappingKernelManager.cull_interval=2")
    for words in (c.Spawner.args, c.JupyterHub.services[0]["command"]):
        words[:] = [w.replace("=3600", "={idle}").replace("=300", "=2") for w in words]
"""
FAILED = """
() => jupyterapp.shell.currentWidget.content.widgets
  .flatMap((cell) => cell.model.sharedModel.outputs ?? [])
  .filter((output) => output.output_type === "error")
  .map((output) => `${output.ename}: ${output.evalue}`)
"""
# What a cell of a reader tries. `refused` is true where the system says no.
CELL = """
import json, os, resource, subprocess, sys
import helpers

def refused(act, *given):
    try:
        act(*given)
    except (PermissionError, ValueError):
        return True
    return False

found = {{}}
found["folder"] = refused(os.listdir, "{home}")
found["file"] = refused(open, "{home}/{notebook}")
found["token"] = refused(open, "/proc/{pid}/environ")
writable = [
    os.path.join(folder, name)
    for top in (sys.prefix, os.path.dirname(helpers.__file__), "{hub}")
    for folder, folders, files in os.walk(top)
    for name in [".", *files]
    if os.access(os.path.join(folder, name), os.W_OK)
    and not os.path.islink(os.path.join(folder, name))
]
found["writable"] = writable[:3]
found["helpers"] = refused(open, helpers.__file__, "a")
found["limit"] = refused(resource.setrlimit, resource.RLIMIT_DATA, (2**33, 2**33))
print(json.dumps(found))
"""
GREEDY = """
import numpy as np
np.ones(3 * 10**9, dtype=np.uint8)
"""


class User(NamedTuple):
    name: str
    password: str

    @property
    def home(self) -> Path:
        return Path("/home") / self.name

    def processes(self, words: str) -> list[psutil.Process]:
        """The user's processes whose command holds the words."""
        running = psutil.process_iter(["username", "cmdline"])
        own = [p for p in running if p.info["username"] == self.name]
        return [p for p in own if words in " ".join(p.info["cmdline"] or [])]


class Hub(NamedTuple):
    url: str

    def address(self, user: User, path: str) -> str:
        return f"{self.url}/user/{user.name}/{path}"


def run(*command, **kwargs) -> None:
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL, **kwargs)


def environment() -> Path:
    """The reader's packages and the hub's, where every user can read and none can write."""
    folder, stamp = BUILD / "env", BUILD / "made-from"
    wanted = "".join((ROOT / name).read_text() for name in ("requirements.txt", "pyproject.toml"))
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        run(shared_python(), "-m", "venv", "--without-pip", folder)
        parts = [sysconfig.get_path("purelib"), f"{sys.prefix}/etc", f"{sys.prefix}/share"]
        for part in map(Path, parts):
            target = folder / part.relative_to(sys.prefix)
            shutil.copytree(part, target, copy_function=link, symlinks=True, dirs_exist_ok=True)
        stamp.write_text(wanted)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--quiet")
    run(*pip, "--no-deps", "--force-reinstall", ROOT)
    run(*pip, "-r", HUB / "requirements.txt")
    run("npm", "install", "--silent", "--prefix", BUILD / "proxy", PROXY)
    return folder


def link(source: str, target: str) -> None:
    """A second name for the file, which costs no room; where there is one, it stays."""
    if not os.path.exists(target):
        os.link(source, target, follow_symlinks=False)


def shared_python() -> Path:
    """A Python of this version that every user can run: the one here may lie in a closed home."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for folder in (f"{sys.base_prefix}/bin", "/usr/local/bin", "/usr/bin"):
        path = Path(folder, name)
        if path.exists() and all(open_to_all(p) for p in (path.resolve(), *path.resolve().parents)):
            return path
    raise SystemExit(f"expected a {name} that every user can run, such as /usr/bin/{name}")


def open_to_all(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o001)


@contextmanager
def system_users(n: int):
    """New users of the system, all but the last in the group; removed with all that they own."""
    tag, made, group = secrets.token_hex(3), [], None
    try:
        if GROUP not in {entry.gr_name for entry in grp.getgrall()}:
            run("groupadd", GROUP)
            group = GROUP
        for number in range(1, n + 1):
            user = User(f"bench-{tag}-{number}", secrets.token_urlsafe(24))
            groups = ["--groups", GROUP] if number < n else []
            run("useradd", "--create-home", "--home-dir", user.home, *groups, user.name)
            made.append(user)
            run("chpasswd", input=f"{user.name}:{user.password}\n", text=True)
        yield made
    finally:
        for user in made:
            end(user.processes(""))
            subprocess.run(["userdel", "--remove", user.name], capture_output=True)
        if group:
            run("groupdel", group)


def end(processes: list[psutil.Process]) -> None:
    for act in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                act(process)
        _, processes = psutil.wait_procs(processes, timeout=10)


@contextmanager
def running_hub(folder: Path, idle: int = 0):
    """The hub with a new state of its own; with `idle`, what nobody uses is ended so soon."""
    state, ports = BUILD / "state", [free_port() for _ in range(3)]
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(mode=0o700)
    config = CONFIG.format(
        config=str(HUB / "jupyterhub_config.py"), ports=ports, readers=READERS, idle=idle
    )
    (state / "config.py").write_text(config)
    given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    given["PATH"] = f"{BUILD}/proxy/node_modules/.bin:{given['PATH']}"
    command = [folder / "bin" / "jupyterhub", "-f", state / "config.py"]
    hub = Hub(f"http://127.0.0.1:{ports[0]}")
    with open(BUILD / "log.txt", "a") as log:
        process = subprocess.Popen(command, cwd=state, env=given, stdout=log, stderr=log)
        family = []
        try:
            wait_until_up(hub, process)
            family = psutil.Process(process.pid).children(recursive=True)
            yield hub
        finally:
            process.terminate()  # ends servers and proxy first
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
            end(family)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until_up(hub: Hub, process: subprocess.Popen) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            urlopen(f"{hub.url}/hub/login").close()
            return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"the hub did not start: see {BUILD.relative_to(ROOT)}/log.txt")


def log_in(page, hub: Hub, user: User) -> None:
    """Give name and password; what comes then is the caller's to wait for."""
    page.goto(f"{hub.url}/hub/login")
    page.fill("input[name=username]", user.name)
    page.fill("input[name=password]", user.password)
    page.click("input[type=submit]", no_wait_after=True)


def lesson(hub: Hub, user: User, other: User, turn: int, together: Barrier) -> dict:
    """One reader's lesson, in step with the others at `together`. Returns what was found."""
    try:
        with running_browser(find_chromium()) as browser:
            page = browser.new_context(viewport={"width": 1300, "height": 1000}).new_page()
            page.set_default_timeout(PATIENCE)
            page.sent = []
            page.on("websocket", lambda ws: ws.on("framesent", lambda m: page.sent.append(m)))
            return {
                **arrive(page, hub, user, together),
                **read(page, hub, user, turn, together),
                **trespass(page, hub, user, other, together),
            }
    except BaseException:
        together.abort()
        raise


def arrive(page, hub: Hub, user: User, together: Barrier) -> dict:
    together.wait()
    start = time.perf_counter()
    log_in(page, hub, user)
    page.wait_for_function(READY)  # JupyterLab with the first notebook
    seconds = time.perf_counter() - start
    together.wait()
    page.evaluate(SHUT_DOWN)
    return {ARRIVAL: seconds}


def read(page, hub: Hub, user: User, turn: int, together: Barrier) -> dict:
    """Open notebook 05, run it with the others, drag one after the other."""
    page.goto(hub.address(user, f"doc/tree/{NOTEBOOK}?reset"))
    page.wait_for_function(READY)
    together.wait()
    start = time.perf_counter()
    page.evaluate(RUN_ALL)
    found = {RUN: time.perf_counter() - start, "errors": page.evaluate(FAILED)}
    together.wait()
    for number in range(READERS):
        if number == turn:
            found |= drag(page)
        together.wait()
    return found


def drag(page) -> dict:
    """Three seconds there and back on the first latent explorer's slider."""
    handle = page.locator(EXPLORER_HANDLE).first
    handle.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - REACH, y)
    page.wait_for_timeout(500)
    page.evaluate(CLEAR)
    before, start, events = len(page.sent), time.perf_counter(), SECONDS * RATE
    for event in range(events):
        time.sleep(max(0, start + event / RATE - time.perf_counter()))
        page.mouse.move(x + REACH * (1 - 2 * abs(1 - 2 * event / events)), y)
    log, seconds = page.evaluate("log"), time.perf_counter() - start
    sent = len(page.sent) - before
    page.mouse.up()
    return {
        DRAWN: len(log["pictures"]) / seconds,
        SHARE: len(log["pictures"]) / log["frames"],
        SENT: sent,
    }


def trespass(page, hub: Hub, user: User, other: User, together: Barrier) -> dict:
    """Try what must not work, from the reader's own kernel and browser."""
    (server,) = other.processes(PROCESSES["server"])
    given = {"home": other.home, "notebook": NOTEBOOK, "pid": server.pid, "hub": HUB}
    found = {"cell": json.loads(execute(page, CELL.format(**given)))}
    found["others"] = statuses(page, hub, other)
    found["own"] = statuses(page, hub, user)
    together.wait()
    found["greedy"] = execute(page, GREEDY)
    found["after"] = execute(page, "print(1 + 1)").strip()
    execute(page, f'open("{Path(OTHER).name}", "w").write("mine")')
    together.wait()  # for the one who comes too late
    together.wait()
    return found


def statuses(page, hub: Hub, user: User) -> list[int]:
    """What the user's server answers to this browser: files through the interface, and the page."""
    tab = page.context.new_page()
    found = [tab.goto(hub.address(user, path)).status for path in ("api/contents", "lab/tree")]
    tab.close()
    return found


def sentence(hub: Hub, user: User) -> str:
    """What a user who is not let in reads."""
    with running_browser(find_chromium()) as browser:
        page = browser.new_page()
        log_in(page, hub, user)
        page.locator(".login_error:visible, .error:visible").first.wait_for()
        return page.locator("body").inner_text()


@contextmanager
def watched(users: list[User]):
    """The most memory, in MB, and work, in seconds, of each user's server and largest kernel."""
    most, over = {}, Event()

    def watch() -> None:
        while not over.wait(2):
            for user, (what, words) in product(users, PROCESSES.items()):
                for process in user.processes(words):
                    with suppress(psutil.NoSuchProcess):
                        held = process.memory_full_info()
                        now = {kind: getattr(held, kind) / 2**20 for kind in KINDS}
                        now["cpu"] = sum(process.cpu_times()[:2])
                        for kind, value in now.items():
                            key = what, kind, user.name
                            most[key] = max(most.get(key, 0), value)

    thread = Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def class_of(hub: Hub, readers: list[User], late: User) -> tuple[list[dict], str]:
    """All lessons at once; the late one comes when every place is taken."""
    together = Barrier(READERS + 1, timeout=PATIENCE / 1000)
    with ThreadPoolExecutor(READERS) as pool:
        others = readers[1:] + readers[:1]
        runs = [
            pool.submit(lesson, hub, user, other, turn, together)
            for turn, (user, other) in enumerate(zip(readers, others, strict=True))
        ]
        text = ""
        try:
            for _ in range(STEPS):
                together.wait()
            text = sentence(hub, late)
            together.wait()
        except BrokenBarrierError:
            pass  # a lesson's own error says more
    return [run.result() for run in runs], text


def idle_server(hub: Hub, user: User, seconds: int) -> dict:
    """What is left of a reader who does nothing: with the page open, and with the page closed."""
    with running_browser(find_chromium()) as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        log_in(page, hub, user)
        page.wait_for_function(READY)
        found = {"kept": (user.home / OTHER).read_text() == "mine"}
        found["kernel ended"] = ended(user, PROCESSES["kernel"])
        time.sleep(2 * seconds)
        found["server stays"] = bool(user.processes(PROCESSES["server"]))
    return found | {"server ended": ended(user, PROCESSES["server"])}


def ended(user: User, words: str) -> bool:
    """Whether no such process is left within three minutes."""
    for _ in range(180):
        if not user.processes(words):
            return True
        time.sleep(1)
    return False


def promises(lessons: list[dict], late: str, stranger: str, idle: dict) -> dict[str, bool]:
    cells = [found["cell"] for found in lessons]
    return {
        "notebook 05 ran without an error for everyone": not any(f["errors"] for f in lessons),
        "a drag asks nothing of the kernel": not any(f[SENT] for f in lessons),
        "no kernel reads another's folder, file or token": all(
            cell["folder"] and cell["file"] and cell["token"] for cell in cells
        ),
        "no browser reaches another's server (403), each its own": all(
            {*found["others"]} == {403} and {*found["own"]} == {200} for found in lessons
        ),
        "nobody can write to the environment, the helpers or the configuration": all(
            not cell["writable"] and cell["helpers"] for cell in cells
        ),
        "nobody can raise the limit of memory": all(cell["limit"] for cell in cells),
        "3 GB in one cell: a MemoryError, and 1 + 1 is still 2": all(
            "MemoryError" in found["greedy"] and found["after"] == "2" for found in lessons
        ),
        "the fifth reads that all places are taken": "limit exceeded" in late,
        "who is not in the group is not let in": "Invalid username or password" in stranger,
        "what a user wrote into the course is there after a new start": idle["kept"],
        "a kernel that nobody used is ended": idle["kernel ended"],
        "a server whose page is open is not": idle["server stays"],
        "a server whose page is closed is ended": idle["server ended"],
    }


def report(lessons: list[dict], most: dict, kept: dict[str, bool]) -> None:
    """The tables for benchmarks/README.md, then what must hold."""
    rows = {what: [found[what] for found in lessons] for what in MEASURED}
    for what in PROCESSES:
        names = {"cpu": f"work of a {what}, seconds of a core"}
        names |= {kind: f"memory of a {what}, {name}, MB" for kind, name in KINDS.items()}
        for kind, name in names.items():
            rows[name] = [value for key, value in most.items() if key[:2] == (what, kind)]
    print(f"{READERS} readers at once, {os.cpu_count()} cores\n\n| | each |\n|---|---|")
    for what, values in rows.items():
        low, middle, high = (f(values) for f in (min, median, max))
        digits = 2 if high < 2 else 0
        print(f"| {what} | {middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}) |")
    print()
    for what, holds in kept.items():
        print(f"- {'' if holds else 'NOT: '}{what}")


def main() -> int:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise SystemExit(f"expected to be root, with {', '.join(NEEDED)}; missing: {missing}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the users are removed then, too
    folder, idle = environment(), 15
    with system_users(READERS + 2) as users:
        readers, late, stranger = users[:READERS], users[READERS], users[-1]
        with running_hub(folder) as hub, watched(readers) as most:
            text = sentence(hub, stranger)
            lessons, too_late = class_of(hub, readers, late)
        with running_hub(folder, idle) as hub:
            left = idle_server(hub, readers[0], idle)
    kept = promises(lessons, too_late, text, left)
    report(lessons, most, kept)
    if not all(kept.values()):
        print(json.dumps([*lessons, too_late, text, left], indent=1))
    return not all(kept.values())


if __name__ == "__main__":
    sys.exit(main())
