import { reviewDefaults } from '../../src/config/keys/review.ts'
import { weighUnseen } from '../../src/plan/weighed/weighed.ts'
import { reviewMigrations, type SqlFile } from '../../src/sql/review.ts'
import { readCorpus } from '../../test/contract/corpus/kept.ts'
import { median, ms, under, type Measurement } from '../figure.ts'

const FILES = 100

/** Everything that a review computes of a hundred migrations that Prisma wrote; what the database is asked comes on top, in a few round trips. */
export const review: Measurement = {
  figures: [{ name: 'review-100-ms', unit: 'ms', aim: under(1_000) }],
  async measure({ sized, say }) {
    const all: readonly SqlFile[] = Object.entries(readCorpus()).flatMap(([set, files]) =>
      files.map((sql, at) => ({ name: `${set}/${at}`, content: Buffer.from(sql) })),
    )
    const hundreds = Array.from({ length: sized({ small: 5, full: Math.floor(all.length / FILES) }) }, (_, at) =>
      all.slice(at * FILES, (at + 1) * FILES),
    )
    const times: number[] = []
    let findings = 0
    for (const files of hundreds) {
      const began = performance.now()
      await reviewMigrations(files, { sizes: [], schema: 'public' })
      findings += (await weighUnseen(files, ASKING)).length
      times.push(performance.now() - began)
    }
    if (findings === 0) throw new Error('nothing was found in any of them')
    say(`${findings} findings`)
    const bytes = hundreds.flat().reduce((sum, { content }) => sum + content.length, 0) / hundreds.length
    return {
      'review-100-ms': {
        value: median(times),
        note: `the median of ${hundreds.length} hundreds of ${Math.round(bytes / 1024)} kB each; the first, with the start of the parser, ${ms(times[0] ?? 0)}`,
      },
    }
  },
}

const ASKING = {
  thresholds: reviewDefaults,
  schema: 'public',
  today: '2026-11-30',
  order: 'migrate-first',
  isOneTransaction: true,
} as const
