"""
The domain: values, the store contract, and the stores behind it. Imports nothing of ours.
"""
