"""How base.module and base.script put the views' files together. No browser here."""

import re

import pytest

from helpers.explorers.base import JS, module, script

VIEWS = sorted(path.name for path in JS.glob("*.js") if "export default" in path.read_text("utf-8"))


@pytest.fixture
def write(tmp_path):
    """A function that writes files {name: text} and gives their folder."""

    def write(files: dict[str, str]):
        for name, text in files.items():
            (tmp_path / name).write_text(text, "utf-8")
        return tmp_path

    return write


def scopes(text: str) -> list[str]:
    return re.findall(r"^const scope_(\w+) = \(\(\) => \{$", text, re.M)


def test_each_file_stands_once_behind_what_it_imports(write):
    folder = write(
        {
            "view.js": 'import { b } from "./b.js";\nimport { a } from "./a.js";\n'
            "export default { render };\nconst render = () => a + b;\n",
            "b.js": 'import { a } from "./a.js";\nexport const b = a + 1;\n',
            "a.js": "export const a = 1;\n",
        }
    )
    assert scopes(module("view.js", folder)) == ["a", "b", "view"]
    assert module("view.js", folder).endswith("export default scope_view.default;\n")


def test_a_script_has_the_same_scopes_and_no_export(write):
    folder = write(
        {
            "worker.js": 'import { a } from "./a.js";\npostMessage(a);\n',
            "a.js": "export const a = 1;\n",
        }
    )
    text = script("worker.js", folder)
    assert scopes(text) == ["a", "worker"]
    assert not re.search(r"^(import|export)\b", text, re.M)
    assert "const { a } = scope_a;" in text


def test_private_names_stay_in_the_scope_of_their_file(write):
    folder = write(
        {
            "view.js": 'import { a } from "./a.js";\nconst MARGIN = 2;\n'
            "export default { render };\nconst render = () => a * MARGIN;\n",
            "a.js": "const MARGIN = 1;\nexport const a = MARGIN;\nexport async function f() {}\n",
        }
    )
    text = module("view.js", folder)
    first, second = text.split("const scope_view")
    assert "const MARGIN = 1;" in first
    assert "return { a, f };" in first
    assert "const MARGIN = 2;" in second
    assert "return { default: { render } };" in second


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "got no view.js"),
        ({"view.js": 'import { a } from "./a.js";\n'}, r"view\.js → a\.js .* got no a\.js"),
        (
            {"view.js": 'import { a, b } from "./a.js";\n', "a.js": "export const a = 1;\n"},
            "view.js imports b, which a.js does not export",
        ),
        (
            {
                "view.js": 'import { a } from "./a.js";\n',
                "a.js": 'import { b } from "./b.js";\nexport const a = 1;\n',
                "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
            },
            "view.js → a.js → b.js → a.js",
        ),
        ({"view.js": 'import { render } from "./view.js";\n'}, "view.js → view.js"),
    ],
    ids=["no view", "missing file", "name not exported", "circle", "itself"],
)
def test_what_cannot_be_resolved_is_refused(write, files, message):
    with pytest.raises(ValueError, match=message):
        module("view.js", write(files))


@pytest.mark.parametrize(
    "line",
    [
        'import a from "./a.js";',
        'import * as all from "./a.js";',
        'import "./a.js";',
        'import { a } from "./folder/a.js";',
        'import { a } from "a";',
        "import { a } from './a.js';",
        'import { a } from "./a.js" // why',
        "export { a };",
        'export * from "./a.js";',
        "export let a = 1;",
        "export default function render() {}",
    ],
)
def test_another_form_of_import_or_export_is_refused(write, line):
    folder = write({"view.js": f"{line}\nconst x = 1;\n", "a.js": "export const a = 1;\n"})
    with pytest.raises(ValueError, match="cannot resolve this line of view.js"):
        module("view.js", folder)


def test_names_on_several_lines_are_imported(write):
    files = {
        "view.js": 'import {\n  a,\n  b,\n} from "./a.js";\nexport default { a };\n',
        "a.js": "export const a = 1;\nexport const b = 2;\n",
    }
    assert scopes(module("view.js", write(files))) == ["a", "view"]


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_resolves_to_one_module(name):
    text = module(name)
    assert len(scopes(text)) == len(set(scopes(text)))
    assert scopes(text)[-1] == name.removesuffix(".js")
    assert re.findall(r"^(?:import|export)\b.*", text, re.M) == [text.splitlines()[-1]]
