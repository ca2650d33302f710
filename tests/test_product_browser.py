"""product.js against NumPy in float64: with WebAssembly's SIMD, and plain where there is none."""

from base64 import b64decode, b64encode

import numpy as np
import pytest

from helpers.explorers.base import JS, script
from tests.browser import serving

PRODUCTS = """
async (products) => {
  const { product } = await import("/product.js");
  const read = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const floats = (text) => new Float32Array(read(text).buffer);
  const write = ({ buffer }) => btoa(Array.from(new Uint8Array(buffer), (v) =>
    String.fromCharCode(v)).join(""));
  return products.map(([a, b, shape]) => write(product(floats(a), floats(b), ...shape)));
}
"""
# Counts the kernels; a browser that has no WebAssembly; a policy that forbids it.
COUNT = """
globalThis.made = 0;
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...all) { super(...all); globalThis.made += 1; }
};
"""
NONE = "delete globalThis.WebAssembly;"
STRICT = "<!doctype html><meta http-equiv=Content-Security-Policy content=\"script-src 'self'\">"
SHAPES = [(r, k, c) for r in (1, 3, 64) for k in (1, 5, 784) for c in (1, 2, 16, 17)]
SHAPES += [(1, 2, 784), (3, 128, 784), (784, 64, 130)]


MADE = {"SIMD": 1, "plain": None, "forbidden": 0}  # the kernels that a page makes


@pytest.fixture(scope="module", params=MADE)
def page(chrome, request):
    """A page with WebAssembly, one without it, and one whose policy forbids it."""
    with serving(JS) as address:
        page = chrome.new_page()
        page.add_init_script(NONE if request.param == "plain" else COUNT)
        content = STRICT if request.param == "forbidden" else "<!doctype html>"
        answer = {"body": content, "content_type": "text/html"}
        page.route("**/page.html", lambda route: route.fulfill(**answer))
        page.goto(address + "page.html")
        page.expected = MADE[request.param]
        yield page
        page.close()


def products(page, pairs) -> list[np.ndarray]:
    def text(matrix) -> str:
        return b64encode(np.ascontiguousarray(matrix, np.float32).tobytes()).decode()

    given = [[text(a), text(b), [*a.shape, b.shape[1]]] for a, b in pairs]
    came = [np.frombuffer(b64decode(c), np.float32) for c in page.evaluate(PRODUCTS, given)]
    return [c.reshape(len(a), -1) for c, (a, _) in zip(came, pairs, strict=True)]


def matrices(shape) -> tuple[np.ndarray, np.ndarray]:
    """A and B of this shape; half of A is zero, as are pixels."""
    rows, inner, columns = shape
    draw = np.random.default_rng(sum(shape))
    a = draw.normal(size=(rows, inner)) * (draw.random((rows, inner)) < 0.5)
    return a.astype(np.float32), draw.normal(size=(inner, columns)).astype(np.float32)


def test_it_is_the_product_for_every_shape_in_any_order(page):
    pairs = [matrices(shape) for shape in SHAPES + SHAPES[::-1]]
    for (a, b), c in zip(pairs, products(page, pairs), strict=True):
        a, b = a.astype(float), b.astype(float)
        assert c.shape == (len(a), b.shape[1])
        assert (np.abs(c - a @ b) <= 1e-5 * (np.abs(a) @ np.abs(b))).all(), (a.shape, b.shape)


def test_what_is_no_number_stays_in_its_row_or_column_and_leaves_nothing_behind(page):
    a, b = np.ones((3, 5)), np.ones((5, 18))
    strange, columns = a.copy(), b.copy()
    strange[1, 2], strange[2, 4] = np.nan, -np.inf
    columns[3, 17] = np.nan
    everywhere = np.full((9, 40), np.nan), np.full((40, 40), np.nan)
    rows, column, _, after = products(page, [(strange, b), (a, columns), everywhere, (a, b)])
    assert np.array_equal(rows, np.repeat([[5], [np.nan], [-np.inf]], 18, 1), equal_nan=True)
    assert np.isnan(column[:, 17]).all()
    assert (column[:, :17] == 5).all()
    assert (after == 5).all()


def test_the_kernel_is_made_once_where_it_may_be(page):
    products(page, [matrices((1, 1, 1))])
    products(page, [matrices((2, 3, 4))] * 2)
    assert page.evaluate("globalThis.made") == page.expected


def test_a_worker_from_the_disk_may_use_simd(chrome, tmp_path):
    (tmp_path / "page.html").write_text("<!doctype html>")
    page = chrome.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    code = """
    (source) => new Promise((resolve, reject) => {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(url);
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
    })
    """
    end = "const one = Float32Array.of(1, 2);"
    end += "postMessage([Array.from(scope_product.product(one, one, 1, 2, 1)), made]);"
    assert page.evaluate(code, COUNT + script("product.js") + end) == [[5], 1]
    page.close()
