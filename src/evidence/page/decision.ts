import { stripVTControlCharacters } from 'node:util'
import { count, list } from '../../lib/text/sentences.ts'
import type { MigrationPart, SqlPart } from '../document/document.ts'
import { html, type Html } from './html.ts'
import { pairs, section, table, time, type View } from './parts.ts'

/** The sections about what was asked and decided: request, votes, SQL, plan. */

export function requestSection({ document, who }: View): Html {
  const { request, outcome, plan } = document
  const { account, human } = request.askedBy
  return section('request', [
    pairs([
      ['Asked by', `${who(account)}${human === account ? '' : `, who is ${who(human)}`}`],
      [
        'Asked',
        html`${time(request.askedAt)},
        ${request.askedIn === null ? 'on the command line' : html`in the channel <code>${request.askedIn}</code>`}`,
      ],
      ['Reason', request.reason ?? 'none was given'],
      ['Target', html`${request.title} (<code>${request.target}</code>)`],
      [
        'Commit',
        plan === null
          ? null
          : html`<code>${plan.content.commit}</code
              >${plan.subject !== null && ` “${plan.subject}”`}${plan.author !== null && ` by ${plan.author}`}`,
      ],
      ['From', html`<code>${plan?.content.ref ?? request.ref ?? 'the configured branch'}</code>`],
      ['Application', request.skipApp ? 'left alone, as asked (--skip-app)' : null],
      [document.breakGlass?.brokenBy == null ? 'Approved' : 'Let through', request.grantedAt === null ? null : time(request.grantedAt)],
      ['Ended', request.endedAt === null ? null : time(request.endedAt)],
      [
        'Cancel',
        request.cancelRequested === null
          ? null
          : html`asked for by ${who(request.cancelRequested.by ?? 'somebody')}, ${time(request.cancelRequested.at)}`,
      ],
    ]),
    outcome === null
      ? html`<p class="soft">There is no outcome yet.</p>`
      : html`${pairs([
          ['Outcome', outcome.headline],
          ['Why', outcome.why],
          ['What is certain', outcome.known],
          ['What is not', outcome.notKnown],
          ['Next', outcome.next],
          ['Backup to go back to', outcome.backup],
        ])}${outcome.excerpt !== null && html`<pre>${stripVTControlCharacters(outcome.excerpt)}</pre>`}`,
  ])
}

export function decisionSection(view: View): Html {
  const { document, who } = view
  const { policy, votes } = document
  return section('decision', [
    breakGlassText(view),
    policy === null
      ? html`<p>No plan was made, so nobody was asked.</p>`
      : policy.required === 0
        ? html`<p>No approval was required: it started by itself.</p>`
        : html`<p>
              Required: ${count(policy.required, 'approval')} from
              ${list(policy.from.map((one) => (one.startsWith('user:') ? who(one.slice(5)) : one.replace(':', ' '))))}; whoever asked does
              not count.
            </p>
            ${Object.entries(policy.members).map(([group, members]) => html`<p class="soft small">Members of ${group} when it was asked: ${list(members.map(who))}.</p>`)}`,
    findingsTable(view),
    votes.length === 0
      ? html`<p>Nobody has voted.</p>`
      : table(
          ['Time', 'Who', 'Decision', 'Plan', 'Comment'],
          votes.map((vote) => [
            time(vote.at),
            `${who(vote.by.account)}${vote.by.human === vote.by.account ? '' : `, who is ${who(vote.by.human)}`}`,
            decisions[vote.decision],
            html`<code>${vote.digest.slice(0, 16)}</code>${!vote.counts && ' (an earlier plan; does not count)'}`,
            vote.comment ?? '',
          ]),
        ),
  ])
}

/** Notes stand beside the SQL; here is what somebody had to decide with in mind. */
function findingsTable({ document, who }: View): Html {
  const weighty = (document.findings ?? []).filter(({ weight }) => weight !== 'note')
  if (weighty.length === 0) return html``
  return table(
    ['Weight', 'Migration', 'Found', 'Waived'],
    weighty.map(({ weight, migration, line, text, waived }) => [
      weight,
      `${migration}${line === null ? '' : `, line ${line}`}`,
      text,
      waived === null ? '' : `${waived.by === null ? 'by a comment in the file' : `by ${who(waived.by)}`}: ${waived.reason}`,
    ]),
  )
}

const decisions = { approve: 'approved', reject: 'rejected', break_glass: 'broke the glass' } as const

/** Above everything else about the decision: nobody who reads this may overlook that the usual rule did not hold. */
function breakGlassText({ document, who }: View): Html {
  const breakGlass = document.breakGlass
  if (breakGlass === null) return html``
  return html`<p class="note bad">
      <strong>Break-glass.</strong> ${
        breakGlass.brokenBy === null
          ? html`${who(breakGlass.askedBy)} asked to go without the approvals, and nobody has let it through.`
          : html`${who(breakGlass.brokenBy)} let it run without the approvals that are required, ${time(breakGlass.brokenAt)}.`
      }
      ${
        breakGlass.brokenBy !== null &&
        (breakGlass.reviewedBy === null
          ? 'Nobody has reviewed it yet.'
          : html`Reviewed by ${who(breakGlass.reviewedBy)}, ${time(breakGlass.reviewedAt)}.`)
      }
    </p>
    ${pairs([
      ['Reason', breakGlass.reason],
      ['Asked by', html`${who(breakGlass.askedBy)}, ${time(breakGlass.askedAt)}`],
      ['Plan let through', breakGlass.digest === null ? null : html`<code>${breakGlass.digest}</code>`],
      ['Review', breakGlass.note],
    ])}`
}

export function sqlSection({ document }: View): Html {
  if (document.migrations.length === 0) return section('sql', html`<p>No migration was pending, so there is no SQL.</p>`)
  return section('sql', document.migrations.map(migration))
}

function migration(one: MigrationPart): Html {
  const { review, sql } = one
  return html`<h3><code>${one.name}</code></h3>
    ${pairs([
      [
        'Review',
        review === null
          ? 'not reviewed'
          : html`<strong>${review.class}</strong>,
              ${review.summary}${review.rows !== null && `; about ${count(review.rows, 'row')} in the largest table`}`,
      ],
      [
        'Findings',
        review === null || review.findings.length === 0 ? null : html`${review.findings.map((finding) => html`${finding}.<br />`)}`,
      ],
      ['Approved file', html`${count(one.bytes, 'byte')}, SHA-256 <code>${one.sha256}</code>`],
      ['Way back', one.rollbackSha256 === null ? 'no rollback SQL' : html`rollback SQL, SHA-256 <code>${one.rollbackSha256}</code>`],
      ['Transaction', one.concurrently ? 'runs outside a transaction (CONCURRENTLY)' : null],
    ])}
    ${sqlText(sql)}`
}

function sqlText(sql: SqlPart): Html {
  if (sql.kind === 'missing') return html`<p class="note">The text cannot be shown: ${sql.why} The SHA-256 above still names it.</p>`
  const lines = sql.text.replace(/\r?\n$/, '').split(/\r?\n/)
  return html`${!sql.isApproved && html`<p class="note bad">The text below is not the approved file: its SHA-256 is <code>${sql.sha256}</code>.</p>`}
    ${sql.isRedacted && html`<p class="note">A secret in the text is left out, so the text below does not have the SHA-256 of the file.</p>`}
    <ol class="code">
      ${lines.map((line) => html`<li>${line}</li> `)}
    </ol>
    ${sql.cut > 0 && html`<p class="note">${count(sql.cut, 'more character')} of this file ${sql.cut === 1 ? 'is' : 'are'} left out here. The SHA-256 above is of the whole file.</p>`}`
}

export function planSection({ document }: View): Html {
  const { plan, tools } = document
  const versions = pairs([
    ['Lockkeeper', tools.lockkeeper],
    ['Node', tools.node],
    // of another tool no version is known
    plan?.content.tool === undefined
      ? ['Prisma', tools.prisma ?? 'not recorded']
      : ['Migration tool', plan.content.tool.kind === 'sql' ? 'plain SQL' : plan.content.tool.name],
    ['PostgreSQL', tools.postgresql ?? 'not recorded'],
    ['pg_dump', tools.pgDump ?? 'not recorded'],
    ['Store', html`<code>${document.store}</code>`],
  ])
  if (plan === null) return section('plan', [html`<p>No plan was made.</p>`, versions])
  const { identity } = plan.content
  return section('plan', [
    pairs([
      ['Digest', html`<code>${plan.digest}</code>`],
      [
        'Database',
        html`<code>${identity.database}</code> on <code>${identity.host}:${identity.port}</code>, system
          <code>${identity.systemIdentifier}</code>, OID ${identity.databaseOid}`,
      ],
      ['Already applied', count(plan.content.baseline.length, 'migration')],
      ['Policy', html`SHA-256 <code>${plan.content.policy}</code>`],
      ['Notes', plan.notes.length === 0 ? null : plan.notes.join('; ')],
    ]),
    versions,
    html`<details>
      <summary>The whole plan as it was approved (JSON)</summary>
      <pre>${JSON.stringify(plan.content, null, 2)}</pre>
    </details>`,
  ])
}
