"""`python -m auditor`: the `netaudit` command."""

from auditor.cli import main

if __name__ == "__main__":
    main()
