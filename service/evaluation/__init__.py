"""
Scores the product on labelled sets, through its own ingest and questions. The formats: docs/reference/evaluation.md.
"""
