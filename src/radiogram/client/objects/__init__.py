"""Layer 4, client: friendly objects over the raw ones.

Each holds the raw object as ``raw`` and the client that received it, names what programs ask for
most, and has the client's methods that are about it. They are loaded when the first one is made.
"""
