"""`netaudit version`: what runs here."""

from typing import Annotated

import typer

from auditor import __version__

LIBRARIES = ("paramiko", "cryptography", "pydantic", "jinja2", "PyYAML", "typer")


def version(
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON, with the libraries in use.")] = False,
) -> int:
    """Print the version."""
    if as_json:
        import json
        import platform
        from importlib.metadata import version as installed_version

        libraries = {name.lower(): installed_version(name) for name in LIBRARIES}
        print(json.dumps({"netaudit": __version__, "python": platform.python_version(), **libraries}, indent=2))
    else:
        print(f"netaudit {__version__}")
    return 0
