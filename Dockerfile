# One image for all that docker-compose.yml runs: the web server, the worker, the scheduler, and
# every manage.py command.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
# The dependencies change less often than the code: they are a layer of their own.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY . ./
# As ./run does: a link to the checkout, for both of its import roots (see pyproject.toml).
RUN pip install --no-deps --no-build-isolation -e .

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# A volume that is mounted on the folder takes over whose it is.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin paceline \
    && install --directory --mode 0700 --owner paceline --group paceline /var/lib/paceline
ENV PACELINE_HOME=/var/lib/paceline
COPY --from=build /venv /venv
COPY --from=build /app /app
USER paceline
EXPOSE 8000
