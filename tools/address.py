"""Carry the repository's address from `_config.yml` to everything that names it.

The notebooks' first cell installs `companion` from the repository, and the README and some pages say where to clone
it. Each of those lines is found by its form, so it does not matter which address stands there now.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

GITHUB = r"https://github\.com/[\w.-]+/[\w-]+"
FORMS = (
    re.compile(rf"(?<=generative-vision @ git\+){GITHUB}"),
    re.compile(rf"(?<=git clone ){GITHUB}"),
    re.compile(
        r"(?<=https://colab\.research\.google\.com/github/)[\w.-]+/[\w-]+/blob/[\w./-]+?(?=/notebooks/)"
    ),
)
AFTER_CLONE = re.compile(r"(git clone https://github\.com/[\w.-]+/([\w-]+)\s+cd )[\w-]+")


def settings(root: Path) -> tuple[str, str]:
    """Address and branch, as `_config.yml` has them."""
    repository = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]
    return repository["url"].rstrip("/"), repository["branch"]


def dependants(root: Path) -> Iterator[Path]:
    yield root / "README.md"
    yield from sorted((root / "book").glob("*.md"))
    yield from sorted((root / "notebooks").rglob("*.ipynb"))


def with_address(text: str, url: str, branch: str) -> str:
    """`text` with every known form of the address set to `url` and `branch`."""
    on_colab = f"{url.removeprefix('https://github.com/')}/blob/{branch}"
    for form, new in zip(FORMS, (url, url, on_colab), strict=True):
        text = form.sub(new, text)
    return AFTER_CLONE.sub(r"\1\2", text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=Path())
    root = parser.parse_args().root
    url, branch = settings(root)
    if not re.fullmatch(GITHUB, url):
        sys.exit(f"{url} in _config.yml is not of the form https://github.com/OWNER/NAME, which Colab needs.")
    changed = []
    for path in filter(Path.exists, dependants(root)):
        old = path.read_text(encoding="utf-8")
        if (new := with_address(old, url, branch)) != old:
            path.write_text(new, encoding="utf-8")
            changed.append(str(path))
    print(f"{url}: {len(changed)} file(s) changed. {' '.join(changed)}")


if __name__ == "__main__":
    main()
