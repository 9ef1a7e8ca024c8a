"""Jigwork."""
