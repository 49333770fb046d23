"""`--title` and `--logo`: whose report the HTML pages are."""

from pathlib import Path

from auditor.errors import UsageError
from auditor.reporters.brand import LARGEST_LOGO, Brand, recognise_logo

LONGEST_TITLE = 200


def choose_brand(title: str, logo: Path | None) -> Brand:
    """Return the brand of `title` and the picture at `logo`. Raises UsageError."""
    if len(title) > LONGEST_TITLE:
        raise UsageError(f"--title has {len(title)} characters", f"a title has at most {LONGEST_TITLE}")
    if logo is None:
        return Brand(title.strip())
    try:
        with logo.open("rb") as file:
            data = file.read(LARGEST_LOGO + 1)
    except OSError as error:
        raise UsageError(f"cannot read the logo {logo}: {error.strerror}") from None
    return Brand(title.strip(), recognise_logo(data, str(logo)))
