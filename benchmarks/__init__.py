"""Each module prints one table of figures; see README.md."""
