import { isRefusal } from '../../src/lib/refusal.ts'
import { truncate } from '../../src/lib/text/text.ts'

/** `state.values` of a submitted form, as Slack sends it. */
export type FormValues = Readonly<
  Record<
    string,
    Readonly<
      Record<
        string,
        {
          readonly value?: string | null | undefined
          readonly selected_option?: { readonly value?: string | undefined } | null | undefined
          readonly selected_options?: readonly { readonly value?: string | undefined }[] | null | undefined
        }
      >
    >
  >
>

/** A refusal under its field, which is plain text: what is code elsewhere stands in quotation marks. */
export const errorOf = (field: string, checked: unknown): Readonly<Record<string, string>> =>
  isRefusal(checked) ? { [field]: plainError(checked.text) } : {}

export const plainError = (text: string): string =>
  truncate(
    text
      .replace(/`([^`]*)`/g, '“$1”')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&'),
    500,
  )
