"""
How well it would have done: every past incident is asked about again at the moment it fired, with what was known then.
"""
