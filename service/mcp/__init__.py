"""
What agents ask over the Model Context Protocol: five tools that read, and nothing else.
"""

from importlib.util import find_spec

LACKS = "the interface for agents needs the extra `mcp`: pip install 'precedent[mcp]' (scripts/setup brings it)"


def lacks() -> str:
    """
    What is not installed that it needs; empty: nothing.
    """
    return "" if find_spec("mcp") else LACKS
