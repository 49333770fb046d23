"""netaudit: audit what listens on a fleet of Linux hosts, without an agent."""

__version__ = "0.1.0"
