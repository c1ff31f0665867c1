import type { AuditSeen } from './row.ts'

/** What is read, and the audit row, of each row of the catalogue that does not say it itself. */
export const sentences: Readonly<Record<string, readonly [told: string, audit: AuditSeen | null]>> = {
  'slash command, wrong team: a command of another workspace': [
    'Lockkeeper serves another workspace. Nothing was started.',
    ['U0ERIN', 'delivery', 'not_a_member'],
  ],
  'slash command, wrong team: a command of no workspace': [
    'Lockkeeper serves another workspace. Nothing was started.',
    ['U0ERIN', 'delivery', 'not_a_member'],
  ],
  'modal, wrong team: a vote of another workspace': [
    'Lockkeeper serves another workspace. Nothing was started.',
    ['U0BOB', 'delivery', 'not_a_member'],
  ],
  'button, wrong team: a click of another workspace': ['(nothing is said)', ['U0ERIN', 'delivery', 'not_a_member']],
  'slash command, wrong app: a command of another app': [
    'This was sent for another app than Lockkeeper. Nothing was started.',
    ['U0ERIN', 'delivery', 'not_a_member'],
  ],
  'slash command, wrong app: a command of no app': [
    'This was sent for another app than Lockkeeper. Nothing was started.',
    ['U0ERIN', 'delivery', 'not_a_member'],
  ],
  'modal, wrong app: a vote of another app': [
    'This was sent for another app than Lockkeeper. Nothing was started.',
    ['U0BOB', 'delivery', 'not_a_member'],
  ],
  'button, wrong app: a click of another app': ['(nothing is said)', ['U0ERIN', 'delivery', 'not_a_member']],
  'slash command, answers go to Slack alone: `response_url` is http://127.0.0.1:1/steal': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is http://169.254.169.254/latest/meta-data/': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is https://hooks.slack.com.evil.example/commands': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is https://hooks.slack.com@evil.example/': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is https://user:secret@hooks.slack.com/': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is http://hooks.slack.com/commands': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is https://hooks.slack.com:8443/commands': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is file:///etc/passwd': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, answers go to Slack alone: `response_url` is not an address': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'modal, answers go to Slack alone: `response_urls` of a window lead elsewhere': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, ids are of Slack: the person is a login of the machine': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['unknown', 'delivery', 'bad_arguments'],
  ],
  'slash command, ids are of Slack: the person is two': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['unknown', 'delivery', 'bad_arguments'],
  ],
  'slash command, ids are of Slack: the person has a line break': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['unknown', 'delivery', 'bad_arguments'],
  ],
  'slash command, ids are of Slack: the channel is a mention': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, ids are of Slack: a trigger of 100,000 characters': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'slash command, ids are of Slack: a trigger with a NUL character': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'modal, ids are of Slack: the voter is a login of the machine': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['unknown', 'delivery', 'bad_arguments'],
  ],
  'modal, JSON depth bombs: a window 1,000 levels deep': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'modal, `__proto__`: in the values of a window': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0ERIN', 'delivery', 'bad_arguments'],
  ],
  'modal, forged metadata: of no request': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0BOB', 'approve', 'stale_button'],
  ],
  'modal, forged metadata: no JSON': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0BOB', 'approve', 'stale_button'],
  ],
  'modal, forged metadata: SQL in place of a token': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0BOB', 'approve', 'stale_button'],
  ],
  'modal, forged metadata: a NUL character in the token': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0BOB', 'approve', 'stale_button'],
  ],
  'modal, forged metadata: 100,000 characters': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0BOB', 'delivery', 'bad_arguments'],
  ],
  "modal, other request: another request's token with this one's digest": [
    'The plan of #{staging} has changed since this was shown: it was `{plan}` and is `{plan}` now. Your click changed nothing. Read the card as it is now and decide about that.',
    ['U0CAROL', 'approve', 'digest_changed'],
  ],
  'modal, older digest: the digest of another plan': [
    'The plan of #{prod} has changed since this was shown: it was `{plan}` and is `{plan}` now. Your click changed nothing. Read the card as it is now and decide about that.',
    ['U0BOB', 'approve', 'digest_changed'],
  ],
  'modal, older digest: an empty digest': [
    'The plan of #{prod} has changed since this was shown: it was not made yet and is `{plan}` now. Your click changed nothing. Read the card as it is now and decide about that.',
    ['U0BOB', 'approve', 'digest_changed'],
  ],
  'modal, unknown window: a callback that no window has': [
    'This form is from an older Lockkeeper. Nothing was started. Open it again.',
    ['U0ERIN', 'form', 'stale_button'],
  ],
  'modal, unknown window: a callback that looks like one': [
    'This form is from an older Lockkeeper. Nothing was started. Open it again.',
    ['U0ERIN', 'form', 'stale_button'],
  ],
  'modal, forged metadata: the form for a request, opened nowhere': [
    'This form is from an older Lockkeeper. Nothing was started. Open it again.',
    ['U0ERIN', 'form', 'stale_button'],
  ],
  'modal, a channel that the target does not allow: the form for a request says that it was opened elsewhere': [
    '`closed` may not be asked for here. Nothing was started. Type it in <#C0PROD>.',
    ['U0ERIN', 'request', 'wrong_channel'],
  ],
  'modal, hostile text: half of a character as the reason': [
    'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.',
    ['U0BOB', 'delivery', 'bad_arguments'],
  ],
  'modal, hostile text: a rejection without a reason': [
    'Say in a sentence why, so that the others know what to change.',
    ['U0BOB', 'reject', 'bad_arguments'],
  ],
  'button, forged action value: of no request': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0ERIN', 'press approve', 'stale_button'],
  ],
  'button, forged action value: empty': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0ERIN', 'press approve', 'stale_button'],
  ],
  'button, forged action value: SQL': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0ERIN', 'press approve', 'stale_button'],
  ],
  "button, forged action value: a request's number in place of its token": [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0ERIN', 'press approve', 'stale_button'],
  ],
  'button, forged action value: 100,000 characters': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0ERIN', 'press approve', 'stale_button'],
  ],
  'button, forged action value: a NUL character': ['(nothing is said)', ['U0ERIN', 'delivery', 'bad_arguments']],
  'button, unknown action: a button that no card has': [
    'This button does nothing yet. Nothing was changed. `/migrate help` lists what can be typed.',
    ['U0ERIN', 'press drop_database', 'not_available_yet'],
  ],
  'button, other request: the card of a request that was cancelled': [
    '#{cancelled} was cancelled {time}. Your click changed nothing.',
    ['U0BOB', 'press approve', 'already_decided'],
  ],
  'slash command, guest: a guest account asks': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it.',
    ['U0GINA', 'deploy', 'not_a_member'],
  ],
  'slash command, guest: a guest account reads': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it.',
    ['U0GINA', 'status', 'not_a_member'],
  ],
  'modal, guest: a guest account approves': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it.',
    ['U0GINA', 'approve', 'not_a_member'],
  ],
  'modal, guest: a guest account cancels': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it.',
    ['U0GINA', 'cancel', 'not_a_member'],
  ],
  'slash command, external: an external account asks': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it.',
    ['U0XAVIER', 'deploy', 'not_a_member'],
  ],
  'slash command, external: an external account reads': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it.',
    ['U0XAVIER', 'status', 'not_a_member'],
  ],
  'modal, external: an external account approves': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it.',
    ['U0XAVIER', 'approve', 'not_a_member'],
  ],
  'modal, external: an external account cancels': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it.',
    ['U0XAVIER', 'cancel', 'not_a_member'],
  ],
  'slash command, bot: a bot account asks': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a bot. Nothing was changed. Ask a full member to do it.',
    ['U0LOCKBOT', 'deploy', 'not_a_member'],
  ],
  'slash command, bot: a bot account reads': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a bot. Nothing was changed. Ask a full member to do it.',
    ['U0LOCKBOT', 'status', 'not_a_member'],
  ],
  'modal, bot: a bot account approves': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a bot. Nothing was changed. Ask a full member to do it.',
    ['U0LOCKBOT', 'approve', 'not_a_member'],
  ],
  'modal, bot: a bot account cancels': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a bot. Nothing was changed. Ask a full member to do it.',
    ['U0LOCKBOT', 'cancel', 'not_a_member'],
  ],
  'slash command, deactivated: a deactivated account asks': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a deactivated account. Nothing was changed. Ask a full member to do it.',
    ['U0ZOE', 'deploy', 'not_a_member'],
  ],
  'slash command, deactivated: a deactivated account reads': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a deactivated account. Nothing was changed. Ask a full member to do it.',
    ['U0ZOE', 'status', 'not_a_member'],
  ],
  'modal, deactivated: a deactivated account approves': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a deactivated account. Nothing was changed. Ask a full member to do it.',
    ['U0ZOE', 'approve', 'not_a_member'],
  ],
  'modal, deactivated: a deactivated account cancels': [
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a deactivated account. Nothing was changed. Ask a full member to do it.',
    ['U0ZOE', 'cancel', 'not_a_member'],
  ],
  'button, self-approval: the requester presses Approve': [
    'You asked for #{prod} yourself, so somebody else has to approve it: one of <!subteam^S0DBA> is needed.',
    ['U0ALICE', 'press approve', 'own_request'],
  ],
  'button, self-approval: the requester presses Reject': [
    'You asked for #{prod} yourself. To take it back, use Cancel or `/migrate cancel {id}`.',
    ['U0ALICE', 'press reject', 'own_request'],
  ],
  'modal, self-approval: the requester sends the window of somebody else': [
    'You asked for #{prod} yourself, so somebody else has to approve it: one of <!subteam^S0DBA> is needed.',
    ['U0ALICE', 'approve', 'own_request'],
  ],
  'command line, self-approval: the requester at the machine, while Slack is down': [
    'You asked for #{prod} yourself, so somebody else has to approve it: one of group S0DBA is needed.\n(exit 1)',
    ['os:{login}', 'approve', 'own_request'],
  ],
  'button, the same human twice: a second account of the requester presses Approve': [
    'You asked for #{prod} yourself, so somebody else has to approve it: one of <!subteam^S0DBA> is needed.',
    ['U0DAVE', 'press approve', 'own_request'],
  ],
  'modal, the same human twice: a second account of the requester approves': [
    'You asked for #{prod} yourself, so somebody else has to approve it: one of <!subteam^S0DBA> is needed.',
    ['U0DAVE', 'approve', 'own_request'],
  ],
  'modal, not in the group: somebody outside the group approves': [
    '#{prod} may be decided by <!subteam^S0DBA>, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.',
    ['U0ERIN', 'approve', 'not_an_approver'],
  ],
  "modal, staging's approval for production: an approver of one target approves another": [
    '#{staging} may be decided by <@U0CAROL>, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.',
    ['U0BOB', 'approve', 'not_an_approver'],
  ],
  'modal, removed from the group since: an approver opens the window, is taken out of the group, and sends it': [
    '#{prod} may be decided by <!subteam^S0DBA>, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.',
    ['U0BOB', 'approve', 'not_an_approver'],
  ],
  'modal, added to the group since: somebody is put into the group after the request was made': [
    '#{prod} may be decided by <!subteam^S0DBA>, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.',
    ['U0ERIN', 'approve', 'not_an_approver'],
  ],
  'modal, group unreadable: Slack does not say who is in the group': [
    '#{prod} may be decided by <!subteam^S0DBA>, and Slack does not say now who is in <!subteam^S0DBA>. What cannot be checked is refused. Nothing was changed; try again in a minute.',
    ['U0BOB', 'approve', 'approvers_unknown'],
  ],
  'modal, identity unreadable: Slack does not say who somebody is': [
    'Slack did not say who you are (no answer), and what cannot be checked is refused. Nothing was changed. Try again in a minute.',
    ['U0BOB', 'approve', 'identity_unknown'],
  ],
  'slash command, identity unreadable: Slack does not say who somebody is': [
    'Slack did not say who you are (no answer), and what cannot be checked is refused. Nothing was changed. Try again in a minute.',
    ['U0FAYE', 'deploy', 'identity_unknown'],
  ],
  'slash command, a channel that the target does not allow: asks for a target of another channel': [
    '`closed` may not be asked for here. Nothing was started. Type it in <#C0PROD>.',
    ['U0CAROL', 'request', 'wrong_channel'],
  ],
  'slash command, a channel that the target does not allow: reads a target of another channel': [
    '`closed` may not be asked for here. Nothing was started. Type it in <#C0PROD>.',
    ['U0CAROL', 'status', 'wrong_channel'],
  ],
  'slash command, a direct message: asks in a direct message': [
    'Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel.',
    ['U0ERIN', 'request', 'wrong_channel'],
  ],
  'slash command, a direct message: asks in a message of several': [
    'Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel.',
    ['U0ERIN', 'request', 'wrong_channel'],
  ],
  'slash command, a direct message: reads in a direct message': [
    'Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel.',
    ['U0ERIN', 'history', 'wrong_channel'],
  ],
  'slash command, not among those who may ask: asks for a target that only one person may ask for': [
    'Runs of `closed` may be asked for by <@U0CAROL> only. Nothing was started. Ask one of them, or see what is pending with `/migrate status closed`.',
    ['U0ALICE', 'request', 'not_allowed_to_ask'],
  ],
  'modal, not among those who may cancel: a stranger to a request cancels it': [
    '#{prod} may be cancelled by <@U0ALICE>, who asked for it, or by <!subteam^S0DBA>. You are none of them. Nothing was changed.',
    ['U0ERIN', 'cancel', 'not_allowed_to_cancel'],
  ],
  'slash command, not among those who may cancel: a stranger to a request cancels it': [
    '#{prod} may be cancelled by <@U0ALICE>, who asked for it, or by <!subteam^S0DBA>. You are none of them. Nothing was changed.',
    ['U0ERIN', 'cancel', 'not_allowed_to_cancel'],
  ],
  'button, expired: Approve on a request that has expired': [
    '#{expired} expired {time} without enough approvals. Nothing was changed. Ask again with `/migrate deploy old`.',
    ['U0BOB', 'press approve', 'request_expired'],
  ],
  'modal, expired: a vote for a request that has expired': [
    '#{expired} expired {time} without enough approvals. Nothing was changed. Ask again with `/migrate deploy old`.',
    ['U0BOB', 'approve', 'request_expired'],
  ],
  'modal, expired: a cancel of a request that has expired': [
    '#{expired} is not under way: it expired {time}. Nothing was changed.',
    ['U0ALICE', 'cancel', 'nothing_to_cancel'],
  ],
  'modal, cancelled request: a vote for a request that was cancelled': [
    '#{cancelled} was cancelled {time}. Your click changed nothing.',
    ['U0BOB', 'approve', 'already_decided'],
  ],
  'slash command, cancelled request: a second cancel': [
    '#{cancelled} is not under way: it was cancelled {time}. Nothing was changed.',
    ['U0ALICE', 'cancel', 'nothing_to_cancel'],
  ],
  'slash command, one request at a time: a second request for a target that is taken': [
    '`prod` is taken by #{prod} (asked by <@U0ALICE>, waiting for approval since {time}). It frees when that ends, or with `/migrate cancel {id}`.',
    ['U0BOB', 'request', 'target_taken'],
  ],
  'slash command, break-glass that is not configured: breaks the glass of a target without it': [
    'Nobody may break the glass on `prod`: `breakGlass` in lockkeeper.yaml names who may, and did not name anybody when this was asked, or does not now. Nothing was started. #{prod} waits for approvals as usual.',
    ['U0ERIN', 'break-glass', 'glass_not_configured'],
  ],
  'command line, a login that is nobody: a login without a person asks': [
    "The login `{login}` belongs to nobody that Lockkeeper knows. Nothing was changed. Add `os:{login}: U…` under `people` in lockkeeper.yaml, with the person's Slack user id.\n(exit 1)",
    ['os:{login}', 'deploy', 'identity_unknown'],
  ],
  'command line, a login that is nobody: a login without a person votes': [
    "The login `{login}` belongs to nobody that Lockkeeper knows. Nothing was changed. Add `os:{login}: U…` under `people` in lockkeeper.yaml, with the person's Slack user id.\n(exit 1)",
    ['os:{login}', 'approve', 'identity_unknown'],
  ],
  'command line, votes belong into Slack: a vote at the machine while Slack answers': [
    'Slack can be reached, so #{staging} is decided there, by the buttons of its card. The command line counts votes only while Slack cannot be reached. Nothing was changed.\n(exit 1)',
    ['os:{login}', 'reject', 'vote_in_slack'],
  ],
  'slash command, `prod; rm -rf`: types `deploy prod; rm -rf /`': [
    '`-r` is no option of `deploy`, which takes `--ref`, `--reason`, `--at`, `--in-window`, `--skip-app`, `--break-glass` and `--override`. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, `prod; rm -rf`: types `deploy prod;reboot`': [
    'There is no target `prod;reboot`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, `prod; rm -rf`: types `deploy $(reboot)`': [
    'There is no target `$(reboot)`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, `prod; rm -rf`: types `deploy prod | tee /etc/passwd`': [
    '`|` is more than `deploy` takes. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, `--schema=/etc/passwd`: types `deploy prod --schema=/etc/passwd`': [
    '`--schema` is no option of `deploy`, which takes `--ref`, `--reason`, `--at`, `--in-window`, `--skip-app`, `--break-glass` and `--override`. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, `--schema=/etc/passwd`: types `deploy prod --config=/etc/passwd`': [
    '`--config` is no option of `deploy`, which takes `--ref`, `--reason`, `--at`, `--in-window`, `--skip-app`, `--break-glass` and `--override`. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, `host=evil dbname=x`: types `deploy "host=evil dbname=x"`': [
    'There is no target `host=evil dbname=x`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, `host=evil dbname=x`: types `status postgresql://evil/x`': [
    'There is no target `postgresql://evil/x`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, an option in place of a ref: types `plan prod --ref=--upload-pack=reboot`': [
    '`--upload-pack=reboot` cannot be a ref: it starts with a dash. Write a branch, a tag or a commit. Nothing was started.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, an option in place of a ref: types `plan prod --ref main..evil`': [
    '`main..evil` cannot be a ref: git does not take it as a name. Write a branch, a tag or a commit. Nothing was started.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, an option in place of a ref: types `plan prod --ref ../../etc/passwd`': [
    '`../../etc/passwd` cannot be a ref: git does not take it as a name. Write a branch, a tag or a commit. Nothing was started.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, NUL and newlines: a NUL character': [
    'The command contains a NUL character (U+0000), and a command is one line of visible text. Nothing was started. Type it again.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, NUL and newlines: a line break and a second command': [
    'The command contains a line break (U+000A), and a command is one line of visible text. Nothing was started. Type it again.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, NUL and newlines: a character that turns the direction of writing': [
    'The command contains a character that changes the direction of writing (U+202E), and a command is one line of visible text. Nothing was started. Type it again.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, NUL and newlines: an invisible character': [
    'The command contains an invisible character (U+200B), and a command is one line of visible text. Nothing was started. Type it again.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, NUL and newlines: half of a character': [
    'The command contains half of a character, and a command is one line of visible text. Nothing was started. Type it again.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, homoglyphs of target names: a Cyrillic \u0440': [
    'There is no target `рrod`: its `р` (U+0440) is not a Latin letter but a Cyrillic one. Nothing was started. Did you mean `prod`? `/migrate deploy prod`',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, homoglyphs of target names: wide letters': [
    'There is no target `ｐｒｏｄ`: its `ｐ` (U+FF50) is not a Latin letter. Nothing was started. Did you mean `prod`? `/migrate deploy prod`',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, homoglyphs of target names: a verb with Cyrillic letters': [
    '`dерlоу` is no verb: its `е` (U+0435) is not a Latin letter but a Cyrillic one. Nothing was started. Did you mean `deploy`? For example `/migrate deploy prod`.',
    ['U0ERIN', 'command', 'unknown_verb'],
  ],
  'slash command, case folding of target names: types `deploy PROD`': [
    'There is no target `PROD`. Nothing was started. Did you mean `prod`? `/migrate deploy prod`',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, case folding of target names: a long s, which is an S in capitals': [
    'There is no target `ſtaging`: its `ſ` (U+017F) is not a Latin letter. Nothing was started. Did you mean `staging`? `/migrate deploy staging`',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, case folding of target names: an accent that combines with the last letter': [
    'There is no target `prod́`: its `́` (U+0301) has no place in a name. Nothing was started. Did you mean `prod`? `/migrate deploy prod`',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, names of objects: types `deploy __proto__`': [
    'There is no target `__proto__`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, names of objects: types `status constructor`': [
    'There is no target `constructor`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, names of objects: types `toString prod`': [
    '`toString` is no verb that Lockkeeper knows. Nothing was started. `/migrate help` lists the verbs.',
    ['U0ERIN', 'command', 'unknown_verb'],
  ],
  'slash command, 10,000 characters: a reason of 10,000 characters': [
    'That is 10,023 characters long, and a command has at most 2,000. Nothing was started. Shorten the reason.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, 10,000 characters: a target of 1,900 characters': [
    'There is no target `ppppppppppppppppppppppppppppppppppppppp…`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, 10,000 characters: a reason of 501 characters': [
    'The reason is 501 characters long, and at most 500 fit on the card. Nothing was started.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, unknown verbs: types `delpoy prod`': [
    '`delpoy` is no verb that Lockkeeper knows. Nothing was started. Did you mean `deploy`? For example `/migrate deploy prod`.',
    ['U0ERIN', 'command', 'unknown_verb'],
  ],
  'slash command, unknown verbs: types `drop prod`': [
    '`drop` is no verb that Lockkeeper knows. Nothing was started. `/migrate help` lists the verbs.',
    ['U0ERIN', 'command', 'unknown_verb'],
  ],
  'slash command, unknown verbs: types `approve 1`': [
    'Votes are given by the buttons of the card, and on the machine with `lockkeeper approve` while Slack cannot be reached. Nothing was changed.',
    ['U0ERIN', 'command', 'unknown_verb'],
  ],
  'slash command, numbers of requests: types `cancel 1e3`': [
    '`1e3` is not the number of a request. Nothing was changed. For example: `/migrate cancel 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: types `cancel 0x2a`': [
    '`0x2a` is not the number of a request. Nothing was changed. For example: `/migrate cancel 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: types `cancel -1`': [
    '`-1` is not the number of a request. Nothing was changed. For example: `/migrate cancel 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: types `cancel 0`': [
    '`0` is not the number of a request. Nothing was changed. For example: `/migrate cancel 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: types `cancel 9007199254740993`': [
    '`9007199254740993` is not the number of a request. Nothing was changed. For example: `/migrate cancel 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: types `show 1.0`': [
    '`1.0` is not the number of a request. Nothing was changed. For example: `/migrate show 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: types `show 1;2`': [
    '`1;2` is not the number of a request. Nothing was changed. For example: `/migrate show 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: wide digits': [
    '`４２` is not the number of a request. Nothing was changed. For example: `/migrate show 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, numbers of requests: a thousand digits': [
    '`999999999999999999999999999999999999999…` is not the number of a request. Nothing was changed. For example: `/migrate show 42`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, mentions: a call of the whole channel in place of a target': [
    'There is no target `channel`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, mentions: a mention in place of a target': [
    'There is no target `@prod`. Nothing was started. Did you mean `prod`? `/migrate deploy prod`',
    ['U0ERIN', 'command', 'unknown_target'],
  ],
  'slash command, quotation marks: an open quotation mark': [
    'The quotation mark before `open` is not closed. Put one at the end, for example `--reason "why it is needed"`.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'slash command, quotation marks: an option twice': [
    '`--reason` stands there twice. Nothing was started. Give it once.',
    ['U0ERIN', 'command', 'bad_arguments'],
  ],
  'command line, `prod; rm -rf`: types `lockkeeper deploy prod; rm -rf /`': [
    'There is no target `prod; rm -rf /`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.\n(exit 2)',
    null,
  ],
  'command line, `--schema=/etc/passwd`: types `lockkeeper deploy prod --schema=/etc/passwd`': [
    '`--schema` is no option of `deploy`, which takes `--ref`, `--reason`, `--at`, `--in-window`, `--skip-app`, `--break-glass` and `--override`. Nothing was started. For example: `lockkeeper deploy prod --reason "checkout needs the discount columns"`.\n(exit 2)',
    null,
  ],
  'command line, `host=evil dbname=x`: types `lockkeeper plan host=evil dbname=x`': [
    'There is no target `host=evil dbname=x`. Nothing was started. The targets are `prod`, `staging`, `closed`, `old` and `two`.\n(exit 2)',
    null,
  ],
  'command line, numbers of requests: types `lockkeeper approve 9007199254740993`': [
    '`9007199254740993` is not the number of a request. Nothing was changed. For example: `lockkeeper approve 42 --digest 7f3a9c21`.\n(exit 2)',
    null,
  ],
  'command line, unknown verbs: types `lockkeeper aprove 1`': [
    '`aprove` is no verb that Lockkeeper knows. Nothing was started. Did you mean `approve`? For example `lockkeeper approve {id}`.\n(exit 2)',
    null,
  ],
  'slash command, not among those who may freeze: types freeze closed for 2h': [
    'Windows, freezes and locks of `closed` are set and lifted by <@U0CAROL> only. Nothing was changed. Ask one of them.',
    ['U0ERIN', 'freeze', 'not_allowed_to_schedule'],
  ],
  'slash command, not among those who may freeze: types lock closed for 2h': [
    'Windows, freezes and locks of `closed` are set and lifted by <@U0CAROL> only. Nothing was changed. Ask one of them.',
    ['U0ERIN', 'lock', 'not_allowed_to_schedule'],
  ],
  'slash command, not among those who may freeze: types unfreeze closed': [
    'Windows, freezes and locks of `closed` are set and lifted by <@U0CAROL> only. Nothing was changed. Ask one of them.',
    ['U0ERIN', 'unfreeze', 'not_allowed_to_schedule'],
  ],
  'slash command, not among those who may freeze: types unlock closed': [
    'Windows, freezes and locks of `closed` are set and lifted by <@U0CAROL> only. Nothing was changed. Ask one of them.',
    ['U0ERIN', 'unlock', 'not_allowed_to_schedule'],
  ],
  'slash command, not among those who may freeze: freezes all targets, one of which is not theirs': [
    'Windows, freezes and locks of `closed` are set and lifted by <@U0CAROL> only. Nothing was changed. Ask one of them.',
    ['U0ERIN', 'freeze', 'not_allowed_to_schedule'],
  ],
  'slash command, an override that nobody has: overrides the hours of a target that names nobody': [
    'Nobody may override the windows and freezes of `closed`: `windows.override` in lockkeeper.yaml names nobody. Nothing was started. Ask for the next opening, or have a freeze lifted with `/migrate unfreeze closed`.',
    ['U0CAROL', 'request', 'not_allowed_to_override'],
  ],
  'slash command, an override of somebody else: overrides the hours of a target that names another': [
    'Windows and freezes of `two` are overridden by <@U0ALICE> only. Nothing was started. Ask one of them, or ask without `--override` for the next opening.',
    ['U0ERIN', 'request', 'not_allowed_to_override'],
  ],
  'button, an offer to somebody else: takes what was offered to another': [
    'This was offered to <@U0ALICE>, and only they can take it. Nothing was started. To ask yourself: `/migrate deploy two`.',
    ['U0ERIN', 'request', 'not_allowed_to_ask'],
  ],
  'button, an offer that was taken: takes what was queued already': [
    'This was queued already: it is #{cancelled}. Your click changed nothing.',
    ['U0ALICE', 'request', 'already_decided'],
  ],
  'button, an offer that is not there: takes what was never offered': [
    'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ['U0ALICE', 'request', 'stale_button'],
  ],
  'button, asking again: asks again for what another had asked for': [
    '#{expired} was asked for by <@U0ALICE>, and only they can ask for it again here. Nothing was started. To ask yourself: `/migrate deploy old`.',
    ['U0BOB', 'request', 'not_allowed_to_ask'],
  ],
  'button, asking again: asks again for what has not ended': [
    '#{prod} has not ended: it is waiting for approval since {time}. Nothing more was started.',
    ['U0ALICE', 'request', 'target_taken'],
  ],
}
