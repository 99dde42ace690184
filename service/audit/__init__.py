"""
The audit: who read what is restricted, what agents called, what policy answered, and what administrators did.
"""
