/** Which of two commits an answer names, in full or by at least seven characters. */
export function versionIn(
  body: string,
  commits: { readonly next: string; readonly previous: string | null },
): 'next' | 'previous' | 'unknown' {
  const named = (commit: string) =>
    [...body.matchAll(/\b[0-9a-f]{7,64}\b/gi)].some(([token]) => commit.toLowerCase().startsWith(token.toLowerCase()))
  if (named(commits.next)) return 'next'
  return commits.previous !== null && named(commits.previous) ? 'previous' : 'unknown'
}
