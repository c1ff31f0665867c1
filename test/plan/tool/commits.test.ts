import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commitLines, commitsText } from '../../../approvals/cards/commits.ts'
import { fetchRepository } from '../../../src/plan/repository.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { commitsSince } from '../../../src/plan/tool/commits.ts'
import { createOrigin, FIT, type Origin } from '../application/origin.ts'

let origin: Origin
let [first, second, head, side] = ['', '', '', '']
let since: (live: string, commit: string) => ReturnType<typeof commitsSince>

beforeAll(async () => {
  origin = await createOrigin()
  first = await origin.commit(FIT, 'The first')
  second = await origin.commit({ 'a.txt': '1' }, 'Prices <in> cents')
  await origin.git('checkout', '--quiet', '-b', 'side', first)
  side = await origin.commit({ 'b.txt': '1' }, 'A detour')
  await origin.git('checkout', '--quiet', 'main')
  await origin.git('commit', '--author=Ole <ole@shop.example>', '--quiet', '--allow-empty', '-m', 'Totals\n\nlong')
  await origin.git('merge', '--quiet', '--no-ff', '-m', 'Merge it', 'side')
  head = (await origin.git('rev-parse', 'HEAD')).trim()
  const repository = await fetchRepository(origin.deps, origin.target())
  if (isRefusal(repository)) throw new Error(repository.text)
  since = (live, commit) => commitsSince(repository.git, live, commit)
})

afterAll(() => origin.close())

describe('what a commit brings beside the live one', () => {
  test('is every commit but merges, the newest first, with who wrote them', async () => {
    const commits = await since(first.slice(0, 7), head)
    expect(commits).toMatchObject({ live: first, count: 3, lost: 0 })
    expect(commits?.newest.map(({ subject }) => subject).toSorted()).toEqual(['A detour', 'Prices <in> cents', 'Totals'])
    expect(commitsText(commits ?? undefined)).toBe(`3 since the live \`${first.slice(0, 7)}\`, by Ada Berg (2) and Ole (1)`)
    expect(commitLines(commits ?? undefined, 1)).toHaveLength(2)
    expect(commitLines(commits ?? undefined, 1)[1]).toBe('… and 2 more commits')
  })

  test('names what is live and would be gone', async () => {
    const commits = await since(side, second)
    expect(commits).toMatchObject({ count: 1, lost: 1 })
    expect(commitsText(commits ?? undefined)).toBe(
      `1 since the live \`${side.slice(0, 7)}\`, by Ada Berg. *1 commit of the live \`${side.slice(0, 7)}\` is not in it*: this goes back`,
    )
    expect(commitLines(commits ?? undefined, 5)).toEqual([`• \`${second.slice(0, 7)}\` Prices &lt;in&gt; cents, by Ada Berg`])
    expect(commitsText((await since(head, first)) ?? undefined)).toBe(
      `*3 commits of the live \`${head.slice(0, 7)}\` are not in it*: this goes back`,
    )
  })

  test('is nothing where it is the live one', async () => {
    const commits = (await since(head, head)) ?? undefined
    expect(commitsText(commits)).toBe(`none: this is the live \`${head.slice(0, 7)}\` itself`)
    expect(commitLines(commits, 5)).toEqual([])
  })

  test.each(['', '--all', 'main', 'f'.repeat(40), 'abc'])(
    'of a live commit that the repository does not have (%j) is not known',
    async (live) => {
      expect(await since(live, head)).toBeNull()
      expect(commitsText(undefined)).toBeNull()
    },
  )
})
