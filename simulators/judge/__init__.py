"""The judge: breaks Andaman on purpose, and says whether its promise held.

A `campaign` holds a `trial` for each seed: a fault script of `scripts` on a `stage` of real
processes. The `oracle` knows what was promised, `evidence` is what became of it, and the ten judges
of `referee` compare. All speak MQTT and HTTP and read files; of our code they know `core` alone.
"""
