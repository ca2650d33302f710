"""Explorers on web pages without Jupyter: the site that docs/build.py makes, and to_html."""

import json
from base64 import b64encode
from gzip import compress
from pathlib import Path

MIME = "application/vnd.autoencoder-to-vae.explorer+json"
HOST = Path(__file__).with_name("js") / "host.js"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{name}</title>
<main>
<figure class="explorer" id="explorer" style="margin:0" data-module="{name}" data-state="state">
{still}
</figure>
</main>
<script>
{scripts}</script>
</html>
"""
NOT_ON_PAGES = ("layout", "tabbable", "tooltip")  # what every widget of Jupyter has


def state(explorer) -> dict:
    """The explorer's synchronized traits as JSON; bytes are compressed, and unpacked by host.js."""
    names = [name for name in explorer.keys if name[0] != "_" and name not in NOT_ON_PAGES]
    values = explorer.get_state(names)
    return {name: packed(value) for name, value in values.items()}


def packed(value):
    """The value itself, or compressed bytes that host.js unpacks."""
    if not isinstance(value, bytes):
        return value
    return {"gzip": b64encode(compress(value, mtime=0)).decode()}


def part(name: str, value) -> str:
    """A script that hands the value to host.js; it may stand in a page."""
    arguments = json.dumps([name, value], separators=(",", ":")).replace("<", "\\u003c")
    return f"explorerPart(...{arguments})\n"


def parts(explorer) -> dict:
    """What a page loads to show the explorer: its module, by name, and its state."""
    name = type(explorer).__name__
    return {"name": name, "module": str(explorer._esm), "state": explorer.page_state()}


def page(explorer) -> str:
    """A whole web page that holds the explorer and all that it needs.

    Raises:
        ValueError: if the explorer needs a kernel.
    """
    state = explorer.page_state()
    if state is None:
        raise ValueError("expected an explorer that needs no kernel; this one does")
    name = type(explorer).__name__
    scripts = [HOST.read_text("utf-8"), part(name, str(explorer._esm)), part("state", state)]
    return PAGE.format(name=name, still=explorer.markup, scripts="\n".join(scripts))
