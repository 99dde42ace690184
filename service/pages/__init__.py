"""
What the pages show: pure functions from answers to what a template draws, beside the templates themselves.
"""
