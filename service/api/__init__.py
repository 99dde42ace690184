"""
The HTTP edge.
"""
