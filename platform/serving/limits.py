"""How large and how slow what comes and goes may be. Seconds, and bytes."""

# A larger body is read off and not kept; the application refuses it by its Content-Length.
BODY_BYTES_MAX = 5 * 1024 * 1024
# From here on, a body is not even read.
READ_BYTES_MAX = 64 * 1024 * 1024
HEAD_BYTES_MAX = 64 * 1024
# How long the first byte and the whole head of a request may take.
HEAD_SECONDS = 10.0
# How long a connection stays open for a next request.
KEPT_SECONDS = 30.0
# A body and an answer have so long, and then as long as this many bytes a second take.
BODY_SECONDS = 20.0
ANSWER_SECONDS = 30.0
BYTES_A_SECOND_MIN = 16 * 1024
# What is kept for slow readers: above which size an answer counts as unread, how many of them a
# host may have in a process, and from which size on the application waits for its reader.
UNREAD_BYTES = 1024 * 1024
UNREAD_MAX = 8
ANSWER_BYTES_MAX = 256 * 1024 * 1024
# Of one process.
CONNECTIONS_MAX = 500
