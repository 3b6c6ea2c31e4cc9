"""The worksheets that came with symae: each is a file, and what is known of it stands in it."""

from __future__ import annotations

from pathlib import Path

from symae.errors import InputError, MissingFileError


def worksheets() -> dict[str, Path]:
    """Return the worksheets that came with symae, by name, in their order."""
    package = Path(__file__).parents[1]
    for folder in (package.parent / "worksheets", package / "worksheets"):
        if found := {path.stem: path for path in sorted(folder.glob("[0-9][0-9]_*.py"))}:
            return found
    raise MissingFileError(package / "worksheets", "no worksheets", "those that are installed with symae")


def title_of(worksheet: Path) -> str:
    """Return the title of a worksheet, its first heading; an empty text if it has none."""
    with worksheet.open(encoding="utf-8") as file:
        headings = (line.removeprefix("# # ").strip() for line in file if line.startswith("# # "))
        return next(headings, "")


def find_worksheet(wanted: str) -> Path:
    """Find the worksheet with the number or name `wanted`, or the script at that path; InputError lists those there are."""
    known = worksheets()
    for name, path in known.items():
        number, _, rest = name.partition("_")
        if wanted in {name, rest} or (wanted.isdecimal() and int(wanted) == int(number)):
            return path
    path = Path(wanted)
    if path.is_file():
        return path
    if path.is_dir():
        raise InputError(wanted, "a folder", "a worksheet or a script")
    if path.suffix and not path.exists():
        raise MissingFileError(wanted, expected="a worksheet or a script")
    raise InputError("worksheet", repr(wanted), f"the path of a script, or one of {', '.join(known)}")
