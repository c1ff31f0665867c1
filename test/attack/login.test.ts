import { expect, test } from 'vitest'
import { resolveCommit } from '../../src/plan/repository.ts'

test('the login of a repository stands in no sentence', async () => {
  const source = {
    repository: 'https://bot:to-ken-1@git.example/shop.git',
    branch: 'main',
    directory: '.',
    install: ['x'],
    installTimeout: 1,
    refs: [],
  }
  const repository = { directory: '/nowhere', git: () => Promise.reject(new Error('git is not asked')) }
  const refused = await resolveCommit(repository, { name: 'prod', source }, '--all')
  expect(refused).toMatchObject({
    code: 'ref_not_found',
    text: '`--all` is not a name that --ref takes: it starts with a dash. Write a branch, a tag or a commit of `https://git.example/shop.git`.',
  })
})
