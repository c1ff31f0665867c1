/** What Git LFS keeps in git in place of a file: a few lines that name it, never longer than 1024 bytes. */
export const isLfsPointer = (content: Buffer): boolean =>
  content.length <= 1024 && /^version https:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\r?\n/.test(content.toString('latin1'))
