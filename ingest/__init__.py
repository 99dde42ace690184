"""
From source to store: journal, transforms, pipeline.
"""
