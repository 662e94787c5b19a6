FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# `prepare` builds: it needs the sources, which come after the layer of the dependencies.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/policy ./policy
# Volumes take the owner of the directory that they are mounted over.
RUN install -d -o node -g node -m 0700 /certificates /custodian-a /custodian-b /backups \
  /issued/authority /issued/event-node /issued/vault /issued/api /issued/projector /issued/worker /issued/cli
USER node
# The api answers on its own port, the others on that of their metrics. Alive, not ready: a standby is in good health.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.METRICS_PORT ?? process.env.PORT}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node"]
CMD ["dist/apps/cli/src/main.js", "--help"]
