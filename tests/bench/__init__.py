"""
Speeds and sizes on this machine, each beside a limit or a peer of the same run (`scripts/bench`).
"""
