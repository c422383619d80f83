"""The fault scripts: each breaks something for a while, by its seed, and mends it again.

`table` names them all. A script is a function of the stage and of how many seconds it has.
"""
