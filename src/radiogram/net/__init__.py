"""Layer 3: byte streams of asyncio on one side, packets on the other.

Knows transports, loops and clocks; the only place that does besides the client and the server
themselves. Knows nothing of messages, keys, calls or roles.
"""
