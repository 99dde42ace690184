"""
Made organisations of any size whose truth is known: for scale and for properties. They prove no quality, since whoever
wrote them also wrote what they are asked about.
"""
