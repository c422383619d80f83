"""Devices' own bytes, by maker; `ingest.codecs.table.CODECS` lists them."""
