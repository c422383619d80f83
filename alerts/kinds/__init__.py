"""Kinds of rules, one file each: what it looks at, and the value that its levels judge. Pure."""
