"""
The edge: settings, wiring, context, REST, MCP, command, pages.
"""

VERSION = "0.1.0"
