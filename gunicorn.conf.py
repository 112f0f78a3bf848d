"""What `gunicorn config.wsgi` takes where its command line says nothing else."""

worker_class = "serving.worker.Worker"
workers = 2
threads = 8
# A worker whose main loop stands still for so long is killed.
timeout = 60
graceful_timeout = 5
# Which proxies to believe is for Django's settings alone (TRUSTED_PROXIES).
forwarded_allow_ips = ""
# It would be in the home folder of the account, shared by every gunicorn of it.
control_socket_disable = True
