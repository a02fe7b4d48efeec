"""The studies that come with the package: TOML files, by name. Nothing else is imported here."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def built_in_studies() -> dict[str, Path]:
    """Return name -> TOML file of the built-in studies, in a checkout or in an installed package."""
    folders = [PACKAGE / "studies", PACKAGE.parent / "studies"]
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
