"""The data sets, a module each, found by the catalogue: a new one needs a new file here and changes no old one.

Each module lists its sets in `SETS`. What it fetches stands beside it in a manifest of the same name, `NAME.toml`. A
module must be quick to import, since help texts name all sets: torch is imported where data is read.
"""
