"""Maintainers' tool: the collected history of the schema -> the package's own table."""
