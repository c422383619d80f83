"""The nouns of Andaman: what flows, what is measured, what is configured. No I/O, no clock."""
