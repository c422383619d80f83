"""One file for each payload format; `ingest.dialects.table.DIALECTS` lists them."""
