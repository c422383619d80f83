"""Telling people: what is said, and one file for each channel that says it."""
