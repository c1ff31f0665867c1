/**
 * Which characters that nobody sees belong to what is written. Emoji and many scripts need some of them; the same ones elsewhere hide
 * something, and so do all that turn the direction of writing around.
 */

/** Calls `replace` with each character that is dangerous or hides something, and leaves what a script or an emoji needs. */
export const replaceInvisible = (text: string, replace: (character: string) => string): string =>
  text.replace(CANDIDATES, (found: string, at: number) => (isNeeded(text, at, found) ? found : Array.from(found, replace).join('')))

/** The first character that is dangerous or hides something. */
export function firstInvisible(text: string): string | undefined {
  for (const { 0: found, index } of text.matchAll(CANDIDATES)) if (!isNeeded(text, index, found)) return Array.from(found)[0]
  return undefined
}

function isNeeded(text: string, at: number, found: string): boolean {
  NEEDED.lastIndex = at
  return NEEDED.exec(text)?.[0] === found
}

// by code point, since what people do not see is not read in a source either
const TAGS = String.raw`\u{e0000}-\u{e007f}`
const SELECTORS = String.raw`\ufe00-\ufe0f\u{e0100}-\u{e01ef}`

/**
 * C0 and C1 controls but tab and line feed, soft hyphen, zero-width and bidirectional characters, separators, byte order mark, selectors of
 * a variant, and tags, which are looked at together.
 */
const CANDIDATES = new RegExp(
  String.raw`[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb${SELECTORS}]|[${TAGS}]+`,
  'gu',
)

/** Their letters change their form by a joiner or where one is missing: Persian, Urdu, Hindi, Bengali, Malayalam, Sinhala, Khmer and others. */
const SHAPED = [
  'Arabic Syriac Nko Mandaic Mongolian Adlam Hanifi_Rohingya Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam',
  'Sinhala Khmer Myanmar Tibetan Balinese Javanese',
]
  .flatMap((line) => line.split(' '))
  .map((script) => String.raw`\p{Script=${script}}`)
  .join('')
/** Vowel signs, many of which are of no script by themselves. */
const MARKS = String.raw`[\p{Mn}\p{Mc}]*`
/** What takes the vowel from a letter; a joiner behind it asks for the half form, also at the end of a word. */
const VIRAMA = String.raw`[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u17d2\u1039\u103a]`

const PICTURE = String.raw`[\p{Extended_Pictographic}\u{1f1e6}-\u{1f1ff}\u{1f3fb}-\u{1f3ff}]`

/** The flags of England, Scotland and Wales, which is all that emoji have of tags; any other letters in tags are a text that nobody sees. */
const FLAGS = ['gbeng', 'gbsct', 'gbwls']
  .map((region) => Array.from(region, (letter) => String.raw`\u{e00${letter.charCodeAt(0).toString(16)}}`).join(''))
  .join('|')

/** Written from right to left. */
const RIGHT = ['Hebrew', 'Arabic', 'Syriac', 'Thaana', 'Nko'].map((script) => String.raw`\p{Script=${script}}`).join('')
/** Keyboards put one of them where a sign or a number stands beside such letters. Unlike overrides they turn no letters around. */
const MARK = String.raw`[\u200e\u200f\u061c]`

const HIDDEN = String.raw`\p{Cf}|\p{Variation_Selector}|[^\P{Cc}\n]`

const NEEDED = new RegExp(
  [
    // beside others of its kind, or what goes, it would be a row of them that could carry any bytes
    String.raw`(?<=[${RIGHT}][\p{M}\p{P}\p{S}\p{Nd} ]*)${MARK}(?!${HIDDEN})`,
    String.raw`(?<!${HIDDEN})${MARK}(?=[\p{P}\p{S}\p{Nd} ]*[${RIGHT}])`,
    String.raw`(?<=\u{1f3f4})(?:${FLAGS})\u{e007f}`,
    String.raw`(?<=${PICTURE}\ufe0f?)\u200d(?=${PICTURE})`,
    String.raw`(?<=[${SHAPED}]${MARKS})[\u200c\u200d](?=[${SHAPED}])`,
    String.raw`(?<=[${SHAPED}]${MARKS}${VIRAMA})[\u200c\u200d]`,
    // how a sign is drawn, and which of its forms a Han character has; behind letters a row of them could carry any bytes
    String.raw`(?<=[\p{Emoji}\p{S}\p{P}])[\ufe0e\ufe0f]`,
    String.raw`(?<=\p{Script=Han})[\ufe00-\ufe02\u{e0100}-\u{e01ef}]`,
    String.raw`(?<=\p{Script=Mongolian}|\p{Script=Myanmar}|\p{Sm})\ufe00`,
  ].join('|'),
  'uy',
)
