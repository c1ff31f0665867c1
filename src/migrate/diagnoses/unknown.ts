import { subject, type Entry } from './entry.ts'

export const unknownDiagnosis: Entry = {
  code: 'unknown',
  matches: () => true,
  explain: (fault, context) => ({
    headline: `${subject(context, fault)} failed with an error that this product does not know.`,
    why: 'The lines below are the end of what the migrator said; the whole log is in the thread.',
    next: 'Read them, see what is applied and what is not, correct the cause and ask again.',
  }),
}
