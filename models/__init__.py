"""
Embedders, indexes, resolution, ranking, calibration.
"""
