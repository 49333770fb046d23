"""Loaded policies in, warnings out: what is allowed and rarely meant, each at its line and column."""

from auditor.lint.lint import CODES, lint_policies

__all__ = ["CODES", "lint_policies"]
