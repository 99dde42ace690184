"""
The store beyond one machine: the contract over a Neo4j server, through its official driver.
"""
