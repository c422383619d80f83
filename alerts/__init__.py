"""From checked columns to transitions of alerts."""
