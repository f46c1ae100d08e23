import { defineConfig } from 'vite'

// For `npm run dev`: the REST server of a running cluster. The REST server takes requests that change something
// only from its own origin, so the proxy says that it is that.
const cluster = process.env.FLOTT_REST ?? 'http://localhost:8081'

export default defineConfig({
  // Relative, so that the page also works below a path of a proxy.
  base: './',
  build: {
    outDir: 'dist/files',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The policy of the server allows no `data:` but images, and files are small anyway.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      '^/(overview|config|jobs|jobmanager|taskmanagers|v1|jars|flott)': {
        target: cluster,
        changeOrigin: true,
        headers: { origin: cluster },
      },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0])
