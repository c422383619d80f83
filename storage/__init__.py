"""The ledger, its history and the way to InfluxDB: the only home of SQL and of line protocol."""
