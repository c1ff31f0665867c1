/** One thing that `check` looked at. `bad` makes the exit code 1; `note` is worth knowing and blocks nothing. */
export type Checked = { readonly level: 'good' | 'note' | 'bad'; readonly what: string; readonly text: string }
