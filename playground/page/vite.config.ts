import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** The page stands alone: no external fonts, nothing from the network but the playground's own server, at whose root it is served. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/',
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL('../../.build/playground', import.meta.url)),
    emptyOutDir: true,
    chunkSizeWarningLimit: 2_000,
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    // `PLAYGROUND_URL` is where a running playground answers, for working on the page itself.
    proxy: { '/play': process.env['PLAYGROUND_URL'] ?? 'http://127.0.0.1:4400' },
  },
})
