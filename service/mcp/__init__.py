"""
What agents ask over the Model Context Protocol: five tools that read, and nothing else.
"""
