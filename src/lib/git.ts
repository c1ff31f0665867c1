/**
 * Why a text is no name that can be asked for; null when git takes it for a branch or tag (`git check-ref-format`) and it can be seen. So it
 * is never an option, a range or an expression, whatever else stands in it: `@acme/api@1.4.0`, `größe`, `fix(api)!`.
 */
export function whyNoRefName(ref: string): string | null {
  if (ref.length === 0) return 'it is empty'
  if (ref.length > 200) return 'it is longer than 200 characters'
  if (ref.startsWith('-')) return 'it starts with a dash'
  if (!ref.isWellFormed() || /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zs}\p{Zl}\p{Zp}\ufffd]/u.test(ref))
    return 'it holds a space or a character that cannot be seen'
  const sign = /[~^:?*[\\]/.exec(ref)?.[0]
  if (sign !== undefined) return `names of branches and tags have no ${sign}`
  return /\.\.|@\{|^\/|\/\/|\/$|\.$|(^|\/)\.|\.lock(\/|$)|^@$/.test(ref) ? 'git does not take it as a name' : null
}

/** What Git LFS keeps in git in place of a file: a few lines that name it, never longer than 1024 bytes. */
export const isLfsPointer = (content: Buffer): boolean =>
  content.length <= LARGEST_POINTER &&
  /^version https:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\r?\n/.test(content.toString('latin1'))

export const LARGEST_POINTER = 1024
