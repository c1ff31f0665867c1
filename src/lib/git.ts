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

/** What a pointer promises: SHA-256 in hex and bytes of the file. Null for one that names it in another way. */
export function readLfsPointer(content: Buffer): { readonly sha256: string; readonly bytes: number } | null {
  const text = content.toString('latin1')
  const sha256 = /^oid sha256:([0-9a-f]{64})\r?$/m.exec(text)?.[1]
  const bytes = /^size (\d+)\r?$/m.exec(text)?.[1]
  return sha256 === undefined || bytes === undefined ? null : { sha256, bytes: Number(bytes) }
}

export const LARGEST_POINTER = 1024
