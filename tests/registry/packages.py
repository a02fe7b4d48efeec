"""Packages made in a folder that is put on the path: modules and a .dist-info, as an installer leaves them."""

import sys
from importlib import invalidate_caches
from textwrap import dedent


def install(folder, monkeypatch, *, name, files, entry_points, version="1.2"):
    """Make a package importable, with entry points: group -> {name: place}."""
    for module, text in files.items():
        path = folder / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        line
        for group, places in entry_points.items()
        for line in (f"[{group}]", *(f"{entry} = {place}" for entry, place in places.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(folder)
    invalidate_caches()
