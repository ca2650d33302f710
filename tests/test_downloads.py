"""Full data sets: downloaded once, whole or not at all; every failure says what to do next.

A real HTTP server on the loopback address serves IDX files that the tests make. Its addresses
choose what it does: /good/, /forbidden/, /silent/, … No test leaves this machine.
"""

import contextlib
import errno
import gzip
import hashlib
import io
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import platformdirs
import pytest
import torch
from torchvision import datasets

import helpers.downloads
from helpers.data import load_images

KINDS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
FILES = [
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
]
ADVICE = ["AUTOENCODER_TO_VAE_CACHE", "root=", '"mnist5k"']


def make_arrays():
    """x_train (40, 28, 28), y_train (40,), x_test (20, 28, 28), y_test (20,), as bytes."""
    rng = np.random.default_rng(0)
    return [
        array
        for n in (40, 20)
        for array in (
            rng.integers(0, 256, (n, 28, 28), dtype=np.uint8),
            rng.integers(0, 10, n, dtype=np.uint8),
        )
    ]


def as_archive(array):
    """The bytes of a gzipped IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


ARRAYS = make_arrays()
ARCHIVES = dict(zip(FILES, map(as_archive, ARRAYS), strict=True))
RESOURCES = [(file, hashlib.md5(content).hexdigest()) for file, content in ARCHIVES.items()]


class Answer(BaseHTTPRequestHandler):
    """What the server does with one request."""

    def do_GET(self):
        self.server.requests.append(self.path)
        _, way, file = self.path.split("/")
        getattr(self, way)(ARCHIVES[file])

    def send(self, content, length=None):
        self.send_response(200)
        if length:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def good(self, content):
        self.send(content, len(content))

    def gated(self, content):
        self.server.gate.wait(120)
        self.good(content)

    def gated_forbidden(self, content):
        self.server.gate.wait(120)
        self.send_error(403)

    def forbidden(self, content):
        self.send_error(403)

    def picky(self, content):
        if self.headers["User-Agent"].startswith("Python"):
            self.send_error(403)
        else:
            self.good(content)

    def silent(self, content):
        self.server.gate.wait(120)

    def stalling(self, content):
        self.send(content[: len(content) // 2], len(content))
        self.server.gate.wait(120)

    def closing(self, content):
        self.send(content[: len(content) // 2], len(content))

    def closing_unannounced(self, content):
        self.send(content[: len(content) // 2])

    def damaged(self, content):
        self.good(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])

    def login_page(self, content):
        self.good(b"<html><h1>Guest network</h1>Please log in.</html>")

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.requests, server.gate = [], threading.Event()
        server.daemon_threads = True
        server.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.gate.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def serve(server, monkeypatch):
    """serve("forbidden", "good"): two mirrors, the first refuses."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(helpers.downloads, "PATIENCE", 0.3)

    def use(*ways):
        mirrors = [f"{server.address}/{way}/" for way in ways]
        for kind in KINDS.values():
            monkeypatch.setattr(getattr(datasets, kind), "mirrors", mirrors)
            monkeypatch.setattr(getattr(datasets, kind), "resources", RESOURCES)
        return mirrors

    return use


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 kB, half of what the test's set needs, where the system lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(folder)]
    with contextlib.suppress(FileNotFoundError):
        if subprocess.run(command, capture_output=True).returncode == 0:
            yield folder
            subprocess.run(["umount", "-l", str(folder)], check=True)
            return
    pytest.skip("this system does not let the tests mount a small disk")


@contextlib.contextmanager
def largest_file(size):
    """No file of this process may grow beyond the size: the system itself refuses to write."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def other_archive():
    """An archive of NumPy that holds something else."""
    file = io.BytesIO()
    np.savez(file, weights=np.zeros(3))
    return file.getvalue()


def listing(folder):
    """All files and folders below, but for the empty lock, which filelock leaves lying."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.suffix != ".lock")


def assert_served(data):
    """The images and classes are those of ARRAYS, bit for bit."""
    for ours, array in zip(data, ARRAYS, strict=True):
        expected = torch.tensor(array.tolist())
        if array.ndim == 3:
            expected = (expected.flatten(1) / 255).float()
        assert ours.dtype == expected.dtype
        assert torch.equal(ours, expected)


# The good case


@pytest.mark.parametrize("name", KINDS)
def test_a_downloaded_set_is_the_one_that_the_server_has(serve, server, tmp_path, name):
    serve("good")
    assert_served(load_images(name, root=tmp_path))
    assert server.requests == [f"/good/{file}" for file in FILES]
    assert listing(tmp_path) == [f"{name}.npz"]


def test_a_server_that_refuses_clients_named_python_does_not_refuse_us(serve, tmp_path):
    serve("picky")
    assert_served(load_images("mnist", root=tmp_path))


def test_the_second_load_asks_no_server(serve, server, tmp_path, capsys):
    serve("good")
    load_images("mnist", root=tmp_path)
    server.requests.clear()
    capsys.readouterr()
    assert_served(load_images("mnist", root=tmp_path))
    assert server.requests == []
    assert capsys.readouterr() == ("", "")


def test_the_reader_sees_one_line_that_says_what_comes_from_where_to_where(serve, tmp_path, capsys):
    (mirror,) = serve("good")
    load_images("kmnist", root=tmp_path)
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1
    for word in ('"kmnist"', mirror, str(tmp_path)):
        assert word in out


@pytest.mark.parametrize("name", KINDS)
def test_torchvision_lists_the_files_in_the_order_of_the_fields(name):
    assert [file for file, _ in getattr(datasets, KINDS[name]).resources] == FILES


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_others_may_read_the_cached_file_if_the_umask_lets_them(serve, tmp_path):
    serve("good")
    before = os.umask(0o027)
    try:
        load_images("mnist", root=tmp_path)
    finally:
        os.umask(before)
    assert (tmp_path / "mnist.npz").stat().st_mode & 0o777 == 0o640


def test_the_folder_is_root_else_the_variable_else_the_platforms_cache(
    serve, tmp_path, monkeypatch
):
    serve("good")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda app: str(tmp_path / "c" / app))
    monkeypatch.delenv("AUTOENCODER_TO_VAE_CACHE", raising=False)
    load_images("mnist")
    assert (tmp_path / "c" / "autoencoder-to-vae" / "mnist.npz").exists()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AUTOENCODER_TO_VAE_CACHE", "~/b")
    load_images("mnist")
    assert (tmp_path / "b" / "mnist.npz").exists()
    load_images("mnist", root=tmp_path / "a")
    assert (tmp_path / "a" / "mnist.npz").exists()


# The network fails

FAILURES = [
    ("forbidden", "403"),
    ("silent", "timed out"),
    ("stalling", "timed out"),
    ("closing", "IncompleteRead"),
    ("closing_unannounced", "md5"),
    ("damaged", "md5"),
    ("login_page", "md5"),
]


@pytest.mark.parametrize("way", [way for way, _ in FAILURES])
def test_the_next_mirror_helps_out(serve, tmp_path, way):
    serve(way, "good")
    assert_served(load_images("mnist", root=tmp_path))
    assert listing(tmp_path) == ["mnist.npz"]


@pytest.mark.parametrize(("way", "cause"), FAILURES)
def test_a_failed_download_names_cause_and_address_and_what_to_do(serve, tmp_path, way, cause):
    mirrors = serve(way, "forbidden")
    with pytest.raises(ConnectionError, match=cause) as error:
        load_images("mnist", root=tmp_path)
    lines = str(error.value).splitlines()
    for mirror, answer, line in zip(mirrors, (cause, "403"), lines[1:3], strict=True):
        assert mirror + FILES[0] in line
        assert answer in line
    for word in [*ADVICE, f"put mnist.npz from a machine that has it into {tmp_path}"]:
        assert word in lines[-1]
    assert listing(tmp_path) == ["mnist.failed.txt"]
    assert error.value.__suppress_context__  # no traceback out of the inside of a library


def test_a_download_that_fails_late_leaves_no_part_of_the_set(serve, tmp_path, monkeypatch):
    serve("good")
    broken = [*RESOURCES[:3], (FILES[3], "0" * 32)]
    monkeypatch.setattr(datasets.MNIST, "resources", broken)
    with pytest.raises(ConnectionError, match=FILES[3]):
        load_images("mnist", root=tmp_path)
    assert listing(tmp_path) == ["mnist.failed.txt"]


def test_a_closed_port_is_named(serve, tmp_path, monkeypatch):
    serve("good")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
    with pytest.raises(ConnectionError, match="(?i)refused") as error:
        load_images("mnist", root=tmp_path)
    assert address in str(error.value)


@pytest.mark.parametrize("name", KINDS)
def test_without_a_network_the_message_lists_torchvisions_addresses(tmp_path, monkeypatch, name):
    def no_network(*args, **kwargs):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(ConnectionError, match="name resolution") as error:
        load_images(name, root=tmp_path)
    for mirror in getattr(datasets, KINDS[name]).mirrors:
        assert mirror + FILES[0] in str(error.value)


def test_after_a_failure_the_next_call_tries_again(serve, tmp_path):
    serve("forbidden")
    for _ in range(2):
        with pytest.raises(ConnectionError, match="403"):
            load_images("mnist", root=tmp_path)
    serve("good")
    assert_served(load_images("mnist", root=tmp_path))
    assert listing(tmp_path) == ["mnist.npz"]


# The disk fails


def assert_says_what_to_do(error, folder):
    for word in [*ADVICE, str(folder)]:
        assert word in str(error.value)
    assert error.value.__suppress_context__  # no traceback out of the inside of a library


def test_a_disk_that_refuses_to_write_on_is_named_and_left_clean(serve, tmp_path, capsys):
    serve("good")
    with pytest.raises(OSError, match="File too large") as error, largest_file(20_000):
        load_images("mnist", root=tmp_path)
    assert error.value.errno == errno.EFBIG
    assert_says_what_to_do(error, tmp_path)
    assert listing(tmp_path) == []


def test_a_full_disk_is_named_and_left_clean(serve, small_disk):
    serve("good")
    with pytest.raises(OSError, match="No space left on device") as error:
        load_images("mnist", root=small_disk)
    assert error.value.errno == errno.ENOSPC
    assert_says_what_to_do(error, small_disk)
    assert listing(small_disk) == []


def test_a_read_only_disk_is_named(serve, server, small_disk):
    serve("good")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OSError, match="Read-only file system") as error:
        load_images("mnist", root=small_disk)
    assert error.value.errno == errno.EROFS
    assert_says_what_to_do(error, small_disk)
    assert server.requests == []


def test_a_folder_that_cannot_be_made_is_named(serve, server, tmp_path):
    serve("good")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(NotADirectoryError) as error:
        load_images("mnist", root=tmp_path / "file" / "cache")
    assert_says_what_to_do(error, tmp_path / "file" / "cache")
    assert server.requests == []


def test_a_folder_that_holds_the_set_is_only_read(serve, tmp_path):
    serve("good")
    load_images("mnist", root=tmp_path)
    (tmp_path / "mnist.lock").unlink()
    os.utime(tmp_path, (0, 0))  # any entry that comes or goes would change this
    assert_served(load_images("mnist", root=tmp_path))
    assert tmp_path.stat().st_mtime == 0


def test_a_read_only_disk_that_holds_the_set_will_do(serve, tmp_path, small_disk):
    serve("good")
    subprocess.run(["mount", "-o", "remount,size=200k", str(small_disk)], check=True)
    load_images("mnist", root=small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert_served(load_images("mnist", root=small_disk))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:1000],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        lambda content: b"<html>not a data set</html>",
        lambda content: other_archive(),
    ],
    ids=["empty", "1 kB", "half", "one byte less", "one bit changed", "a page", "another archive"],
)
def test_a_damaged_cached_file_is_named(serve, tmp_path, damage):
    serve("good")
    load_images("mnist", root=tmp_path)
    path = tmp_path / "mnist.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OSError, match="damaged") as error:
        load_images("mnist", root=tmp_path)
    assert f"{path} is damaged" in str(error.value)
    assert "Delete this file" in str(error.value)
    assert error.value.__suppress_context__  # no traceback out of the inside of a library


# Many processes

THIRTY = """
import hashlib, json, multiprocessing, os, sys
from torchvision import datasets
import helpers.data, helpers.downloads

root, mirror, resources = json.loads(sys.argv[1])
datasets.MNIST.mirrors, datasets.MNIST.resources = [mirror], resources
helpers.downloads.PATIENCE = 120

def ask(barrier):
    barrier.wait()
    try:
        tensors = helpers.data.load_images("mnist", root=root)
        result = hashlib.sha256(b"".join(t.numpy().tobytes() for t in tensors)).hexdigest()
    except ConnectionError as error:
        result = str(error)
    os.write(1, b"\\nRESULT " + json.dumps(result).encode() + b"\\n")

fork = multiprocessing.get_context("fork")
barrier = fork.Barrier(30)
processes = [fork.Process(target=ask, args=(barrier,)) for _ in range(30)]
for process in processes: process.start()
for process in processes: process.join()
"""

KILLED = """
import json, os, signal, sys
import numpy as np
from torchvision import datasets
import helpers.data, helpers.downloads

root, mirror, resources = json.loads(sys.argv[1])
datasets.MNIST.mirrors, datasets.MNIST.resources = [mirror], resources
savez = np.savez

def half_of_it(path, **arrays):
    savez(path, **arrays)
    os.truncate(path, os.path.getsize(path) // 2)
    os.kill(os.getpid(), signal.SIGKILL)

np.savez = half_of_it
helpers.data.load_images("mnist", root=root)
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")


def start(code, root, mirror):
    """Run the code in a fresh Python that takes its files from the mirror."""
    arguments = json.dumps([str(root), mirror, RESOURCES])
    environment = {**os.environ, "no_proxy": "*", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-u", "-c", code, arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)


def thirty_ask(server, root, way):
    """What each of thirty processes got. The server is silent until all of them wait for it."""
    with start(THIRTY, root, f"{server.address}/{way}/") as run:
        out = b""
        while out.count(b"is not in") < 30 and (more := os.read(run.stdout.fileno(), 65536)):
            out += more
        server.gate.set()
        out += run.stdout.read()
    assert run.returncode == 0
    return [json.loads(line[7:]) for line in out.split(b"\n") if line.startswith(b"RESULT ")]


@needs_fork
def test_of_thirty_processes_one_downloads_and_all_get_the_set(serve, server, tmp_path):
    results = thirty_ask(server, tmp_path, "gated")
    assert server.requests == [f"/gated/{file}" for file in FILES]
    data = load_images("mnist", root=tmp_path)
    assert_served(data)
    expected = hashlib.sha256(b"".join(t.numpy().tobytes() for t in data)).hexdigest()
    assert results == [expected] * 30
    assert listing(tmp_path) == ["mnist.npz"]


@needs_fork
def test_of_thirty_processes_one_asks_a_server_that_refuses_and_all_hear_why(
    serve, server, tmp_path
):
    results = thirty_ask(server, tmp_path, "gated_forbidden")
    assert server.requests == [f"/gated_forbidden/{FILES[0]}"]
    assert len(results) == 30
    for result in results:
        for word in [f"{server.address}/gated_forbidden/{FILES[0]}", "403", *ADVICE]:
            assert word in result


@needs_fork
def test_a_process_killed_while_it_writes_leaves_no_set_and_no_lock(serve, server, tmp_path):
    serve("good")
    with start(KILLED, tmp_path, f"{server.address}/good/") as run:
        run.stdout.read()
    assert run.returncode == -9
    assert not (tmp_path / "mnist.npz").exists()
    assert_served(load_images("mnist", root=tmp_path))
