"""Does a spend that was answered 2xx survive whatever dies? `python -m tests.crash` tries.

clients  journal each call before it is sent and its answer after   calls.py, clients.py
nemesis  kills, stops, flushes and fills, by a seed                 nemesis.py
system   the product's own processes, under its own supervisor      system.py
checker  the journals against the ledger, by a model of its own     expected.py, checker.py
"""
