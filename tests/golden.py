"""Golden files: what a person sees, kept word for word. UPDATE_GOLDEN=1 writes them anew."""

import os
from pathlib import Path

HERE = Path(__file__).parent / "golden"


def golden(name: str, text: str) -> None:
    """Assert that `text` is what tests/golden/`name` holds."""
    path = HERE / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.is_file(), f"no {path.name} yet: run with UPDATE_GOLDEN=1 and read it"
    assert text == path.read_text("utf-8")
