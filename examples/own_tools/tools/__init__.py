"""The user's own tools."""
