"""One file for each payload format; `ingest.decode.DIALECTS` lists them."""
