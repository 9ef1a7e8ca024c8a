"""Names: mapped for servers without collisions, and the nearest one found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jigwork.tools import nearest, wire_names


@given(st.lists(st.text(alphabet="ab._-é ", min_size=1, max_size=90), max_size=12))
def test_mapping_is_reversible(names: list[str]) -> None:
    """Every name gets a safe one, no two the same, safe ones keep theirs, whatever their order."""
    mapped = wire_names(names)
    assert set(mapped) == set(names)
    assert len(set(mapped.values())) == len(mapped)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in mapped.values())
    assert all(wire == name for name, wire in mapped.items() if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name))
    assert wire_names(reversed(names)) == mapped


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("get_wether", ["get_weather"]),
        ("getWeather", ["get_weather"]),
        ("weather", ["get_weather"]),
        ("functions.get_weather", ["get_weather"]),
        ("send_mail", ["send_email"]),
        ("zzz", []),
    ],
)
def test_the_nearest_name(name: str, found: list[str]) -> None:
    """A misspelt name finds the one that was meant; a strange one finds none."""
    assert nearest(name, ["get_weather", "send_email", "add"], limit=1) == found
