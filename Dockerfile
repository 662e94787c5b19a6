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
RUN install -d -o node -g node -m 0700 /certificates /custodian-a /custodian-b
USER node
ENTRYPOINT ["node"]
CMD ["dist/apps/cli/src/main.js", "--help"]
