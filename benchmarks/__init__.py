"""Radiogram beside other libraries, on the same machine in the same run.

``python -m benchmarks`` prints one table. Only ratios between the rows of a run mean something;
machines differ. Telethon and Kurigram are optional (``pip install '.[bench]'``).
"""
