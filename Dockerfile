# Two stages: the first installs what the lock file names, by its hashes, and compiles the kernels; the second only runs it.
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/turbo-trader
ENV PATH=/opt/turbo-trader/bin:$PATH
WORKDIR /src
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-deps --no-build-isolation . \
 && TURBO_TRADER_CACHE=/tmp/cache python -m turbo_trader.console.kernels ship

FROM python:3.11-slim-bookworm
COPY --from=build /opt/turbo-trader /opt/turbo-trader
RUN useradd --system --uid 10001 --user-group --no-create-home trader \
 && install --directory --owner=trader --group=trader --mode=0700 /data
ENV PATH=/opt/turbo-trader/bin:$PATH PYTHONDONTWRITEBYTECODE=1 \
    JOURNAL_DIR=/data/var XDG_STATE_HOME=/data/state TURBO_TRADER_CACHE=/data/cache
USER 10001:10001
WORKDIR /data
VOLUME /data
# the daemon's control port answers
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s --retries=3 \
    CMD ["sh", "-c", "turbo-trader status --json | grep -q '\"error\": \"\"'"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["turbo-trader"]
CMD ["run", "--no-ui"]
