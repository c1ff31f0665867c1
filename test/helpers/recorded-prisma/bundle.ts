import { build } from 'vite'

/**
 * A program of its own: `node bundle.ts DIRECTORY`. Makes one file of the recorded Prisma and `pg`, since reading 60 files would be half
 * of its start.
 */
const [into] = process.argv.slice(2)
if (into === undefined) throw new Error('usage: bundle.ts DIRECTORY')

await build({
  configFile: false,
  root: import.meta.dirname,
  logLevel: 'error',
  build: {
    ssr: 'main.ts',
    outDir: into,
    emptyOutDir: true,
    minify: false,
    rolldownOptions: { external: ['pg-native'], output: { format: 'cjs', entryFileNames: 'main.cjs', codeSplitting: false } },
  },
  ssr: { noExternal: true },
})
