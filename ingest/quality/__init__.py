"""Hop 3: every reading gets a QARTOD flag. Pure functions over columns; values are never altered.

columns ─ single ─▶ verdicts ─▶ code and flag, as of arrival
state ──┴ sequence ─▶    │
                         └────▶ revisions of earlier readings, and the state that follows
"""
