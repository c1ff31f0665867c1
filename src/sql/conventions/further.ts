import type { ReviewSettings } from '../../config/keys/review.ts'
import type { Forecast } from '../rules/forecast.ts'
import type { Draft } from '../weigh/draft.ts'
import { headerDrafts } from './header.ts'
import { mixedDraft } from './mixed.ts'

type File = { readonly name: string; readonly content: Buffer; readonly forecasts: readonly Forecast[] }

/** What is found in each file beside what its statements do: by the conventions of the target, and by what the files of a plan do together. */
export function furtherDrafts(files: readonly File[], settings: ReviewSettings): ReadonlyMap<string, readonly Draft[]> {
  const mixed = mixedDraft(files, settings)
  return new Map(
    files.map(({ name, content }) => [name, [...headerDrafts(name, content, settings), ...(mixed?.file === name ? [mixed.draft] : [])]]),
  )
}
