/** What a failed command of the application is known to mean. `why` and `next` are mrkdwn; they quote nothing of the output. */
export type CommandDiagnosis = { readonly why: string; readonly next: string }

export const diagnoseInstall = (output: string): CommandDiagnosis => first(installDiagnoses, output) ?? unknownInstall
export const diagnoseStep = (output: string): CommandDiagnosis => first(stepDiagnoses, output) ?? unknownStep

type Entry = CommandDiagnosis & { readonly matches: RegExp }

const noSpace: Entry = {
  matches: /ENOSPC|No space left on device/i,
  why: 'The disk is full.',
  next: 'Make room on the disk that holds `var/`, then ask again.',
}

const installDiagnoses: readonly Entry[] = [
  {
    matches:
      /can only install with an existing package-lock|No lockfile found|Headless installation requires a pnpm-lock|ERR_PNPM_NO_LOCKFILE/i,
    why: 'The commit has no lock file, so there is nothing to install from.',
    next: 'Commit the lock file (`npm install` writes it) and ask again for that commit, or set `source.install` to a command that needs none.',
  },
  {
    matches:
      /are in sync|is not up to date with|lockfile needs to be updated|ERR_PNPM_OUTDATED_LOCKFILE|Your lockfile needs to be updated/i,
    why: 'The lock file does not fit `package.json`.',
    next: 'Run `npm install`, commit the lock file, and ask again for that commit.',
  },
  {
    matches: /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENOTCACHED|network (request|timeout)|ERR_SOCKET_TIMEOUT/,
    why: 'The package registry could not be reached.',
    next: 'Check the network of the machine that Lockkeeper runs on and try again.',
  },
  {
    matches: /E401|E403|ENEEDAUTH|Unable to authenticate|401 Unauthorized|403 Forbidden/,
    why: 'The package registry refused the credentials.',
    next: 'Installing gets no credentials from Lockkeeper. Put a token that may only read packages into the `.npmrc` of the user that Lockkeeper runs as.',
  },
  {
    matches: /E404|404 Not Found|ETARGET|No matching version/,
    why: 'A package that the lock file names is not in the registry.',
    next: 'Look which one in the log, mend the lock file, and ask again for that commit.',
  },
  {
    matches: /EINTEGRITY|integrity checksum failed/,
    why: 'A package does not have the content that the lock file promises.',
    next: 'Find out why before anything else: either the registry changed it, or the lock file is wrong.',
  },
  {
    matches: /EBADENGINE|Unsupported engine/,
    why: 'A package does not run on this version of Node.',
    next: "Set `source.path` to a PATH with the application's own Node.",
  },
  {
    matches: /EACCES|EPERM|permission denied/i,
    why: 'A file could not be written.',
    next: 'Give the user that Lockkeeper runs as the right to it.',
  },
  noSpace,
]

const unknownInstall: CommandDiagnosis = {
  why: 'The install command failed.',
  next: 'Read the log in the thread, mend it, and ask again.',
}

const stepDiagnoses: readonly Entry[] = [
  {
    matches: /reference is not a tree|unable to read tree|pathspec '[0-9a-f]{40,64}' did not match|bad object [0-9a-f]{40,64}/,
    why: 'The live directory does not have the approved commit.',
    next: 'Put a step before it that fetches: `run: [git, fetch, origin]` with the same `cwd`.',
  },
  {
    matches: /local changes to the following files would be overwritten|untracked working tree files would be overwritten/,
    why: 'Somebody edited files in the live directory.',
    next: 'Look at `git status` there, save what is needed, and put the files back.',
  },
  {
    matches: /index\.lock': File exists/,
    why: 'Another git command works in the live directory, or one was killed there.',
    next: 'When no git runs there, remove `.git/index.lock`.',
  },
  {
    matches: /dubious ownership/,
    why: 'The live directory belongs to another user, so git refuses it.',
    next: 'As the user that Lockkeeper runs as: `git config --global --add safe.directory &lt;directory&gt;`, with the path of that directory.',
  },
  {
    matches: /\[PM2\]\[ERROR\] Process or Namespace .* not found|\[PM2\]\[ERROR\].*doesn't exist/,
    why: 'PM2 has no process of that name.',
    next: 'Compare with `pm2 ls`, run as the same user and with the same `PM2_HOME`.',
  },
  {
    matches: /Cannot connect to the Docker daemon|permission denied while trying to connect to the Docker daemon/i,
    why: 'Docker could not be reached.',
    next: 'Start Docker, or give the user that Lockkeeper runs as the right to use it.',
  },
  {
    matches: /Interactive authentication required|Access denied.*systemd|Failed to (re)?start .*\.service/i,
    why: 'systemd did not do it.',
    next: 'Look at `systemctl status` of that unit; the user that Lockkeeper runs as may lack the right (polkit or sudoers).',
  },
  {
    matches: /Permission denied \(publickey|Host key verification failed/,
    why: 'SSH refused the connection.',
    next: 'Check the key and `known_hosts` of the user that Lockkeeper runs as.',
  },
  {
    matches: /EADDRINUSE|address already in use/i,
    why: 'The port is taken by another process.',
    next: 'Find who listens there, end it, and ask again.',
  },
  {
    matches: /Missing script: /,
    why: 'The commit has no such script in `package.json`.',
    next: 'Correct the step in lockkeeper.yaml or the script in the repository.',
  },
  { matches: /error TS\d+:/, why: 'The TypeScript code has errors.', next: 'Mend them in the repository and ask again for that commit.' },
  {
    matches: /Cannot find module|ERR_MODULE_NOT_FOUND/,
    why: 'A module is missing.',
    next: 'Check that the dependencies are installed where the step runs.',
  },
  noSpace,
  { matches: /EACCES|permission denied/i, why: 'A right is missing.', next: 'Give the user that Lockkeeper runs as the right to it.' },
]

const unknownStep: CommandDiagnosis = { why: '', next: 'Read the log in the thread, mend it, and ask again.' }

const first = (entries: readonly Entry[], output: string): CommandDiagnosis | undefined => {
  const entry = entries.find(({ matches }) => matches.test(output))
  return entry === undefined ? undefined : { why: entry.why, next: entry.next }
}
