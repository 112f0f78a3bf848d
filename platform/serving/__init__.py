"""The web server: gunicorn's processes, waitress' sockets, and shares of the threads.

It stands alone: it serves any WSGI application and imports nobody of ours.
"""
