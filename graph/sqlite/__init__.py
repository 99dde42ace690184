"""
The embedded store: one SQLite file in a data directory, one writer, any number of readers.
"""
