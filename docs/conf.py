"""Settings of Sphinx, for docs/build.py. Nothing on a page may be asked from another host."""

import re
from pathlib import Path

from docutils.nodes import SkipNode
from math_core import LatexToMathML

project = "From autoencoder to VAE"
html_title = project
language = "en"
extensions = ["myst_nb"]
nb_execution_mode = "off"  # docs/build.py has run them
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2  # links may name a section
exclude_patterns = ["helpers"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css", "present.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("host.js", "site.js", "present.js")]
html_favicon = "_static/favicon.svg"
html_copy_source = html_show_sourcelink = html_show_copyright = html_use_index = False
html_show_sphinx = False
html_math_renderer = "mathml"

to_mathml = LatexToMathML()


def inline_math(translator, node):
    translator.body.append(to_mathml.convert_with_local_state(node.astext(), displaystyle=False))
    raise SkipNode


def block_math(translator, node):
    mathml = to_mathml.convert_with_local_state(node.astext(), displaystyle=True)
    translator.body.append(f'<div class="math">{mathml}</div>')
    raise SkipNode


def link_pages(app, docname, source):
    """Links are written for the repository: name what lies there in the source of the site.

    There the pages of docs/ lie one folder up, and those with cells are notebooks.
    """
    there = "](" + "../" * docname.count("/")
    in_docs = not docname.startswith("notebooks/")
    text = source[0].replace(there + ("../" if in_docs else "docs/"), there)
    folder = (Path(app.srcdir) / docname).parent

    def with_cells(link):
        name = f"{link[1]}.ipynb"
        return f"]({name}" if (folder / name).is_file() else link[0]

    source[0] = re.sub(r"\]\(([^()#:\s]+)\.md(?=[)#])", with_cells, text)


def setup(app):
    """Browsers render MathML themselves: no script, no fonts to load."""
    app.connect("source-read", link_pages)
    app.add_html_math_renderer(
        "mathml", inline_renderers=(inline_math, None), block_renderers=(block_math, None)
    )
