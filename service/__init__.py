"""
The edge: settings, wiring, context, REST, command, pages.
"""
