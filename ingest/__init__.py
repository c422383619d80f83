"""From the gateway's message to checked columns in one committed batch."""
