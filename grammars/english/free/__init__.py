"""Free questions: read by rules of their own, and offered as questions of the controlled English, with assumptions."""

from .suggest import Proposal, Suggester, Suggestions

__all__ = ["Proposal", "Suggester", "Suggestions"]
