"""Write the schemas for editors again, after a change of what files may say: python -m tests.schemas.renew."""

from pathlib import Path

from auditor.document.schema import render_schema
from tests.schemas.test_schemas import MODELS, ROOT


def renew() -> None:
    for name, (model, title) in MODELS.items():
        Path(ROOT / "auditor/schemas" / f"{name}.json").write_text(render_schema(model, title), encoding="utf-8")


if __name__ == "__main__":
    renew()
