"""Pack what a teacher takes away: `make release`, after `make site` and `make handout`.

dist/site.zip holds the pages, which work from a stick; dist/course.zip all that git knows, with the
students' notebooks in place of the teacher's.
"""

import subprocess
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

ROOT = Path(__file__).resolve().parents[1]
NAME = "autoencoder-to-vae"


def release(root: Path, tracked: list[str]) -> list[Path]:
    """Write both archives into `dist` of the repository `root`."""
    pages = {path.relative_to(root / "site"): path for path in files(root / "site")}
    handout = {
        Path("notebooks") / path.relative_to(root / "handout"): path
        for path in files(root / "handout")
    }
    course = {Path(name): root / name for name in tracked if (root / name).is_file()} | handout
    (root / "dist").mkdir(exist_ok=True)
    return [
        packed(root / "dist" / "site.zip", f"{NAME}-site", pages),
        packed(root / "dist" / "course.zip", NAME, course),
    ]


def files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    if not found:
        raise SystemExit(f"expected files in {folder.name}/; run `make {folder.name}` first")
    return found


def packed(archive: Path, folder: str, contents: dict[Path, Path]) -> Path:
    with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=9) as file:
        for name, path in sorted(contents.items()):
            file.write(path, f"{folder}/{name.as_posix()}")
    return archive


if __name__ == "__main__":
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        raise SystemExit("expected a copy made by git: course.zip holds the files that git knows")
    for archive in release(ROOT, listed.stdout.splitlines()):
        print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.1f} MB")
