"""Layer 2: packets <-> messages <-> events, for both roles.

Knows message ids, containers, acknowledgements, salts and the key exchange.  Has no socket, task,
clock or source of randomness of its own: `now` and `random` are arguments, timers are deadlines
that the engine returns.  Must not know API objects: bodies are bytes.
"""
