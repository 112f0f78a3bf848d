"""The web server under attack: real sockets against the processes of `./run`."""
